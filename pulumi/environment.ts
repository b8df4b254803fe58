import * as pulumi from "@pulumi/pulumi";
import { allQueues, targetsOf, unique, type FunctionSpec } from "./inputs.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a function is told, by the names `services/hosts/aws` reads. */
export function environment(spec: FunctionSpec, around: Surroundings): Record<string, pulumi.Input<string>> {
  const { deployment, settings, state, lake, configuration, bus } = around;
  const targets = targetsOf(spec);
  const seesAll = spec.dead_letters || spec.http;
  const queues = seesAll ? allQueues.map(({ name }) => name) : unique([...spec.queues, ...targets.queues]);
  return {
    MANTISSA_FUNCTION: spec.name,
    MANTISSA_TABLE_PREFIX: state.prefix,
    MANTISSA_LOG: settings.logFilter,
    MANTISSA_METRIC_NAMESPACE: deployment.metricNamespace,
    ...(queues.length > 0 ? { MANTISSA_QUEUES: queueAddresses(queues, around) } : {}),
    ...when(targets.topics.length > 0, {
      MANTISSA_TOPICS: byName(targets.topics, (name) => around.topic(name).arn),
    }),
    ...when(spec.lake !== null, { MANTISSA_LAKE_BUCKET: lake.bucket.name }),
    ...when(spec.configuration, { MANTISSA_CONFIGURATION: configuration.uri }),
    ...when(spec.athena !== null, {
      MANTISSA_ATHENA: pulumi.jsonStringify({ workgroup: lake.workgroup.name, database: lake.catalogue.database }),
    }),
    ...when(spec.event_bus, { MANTISSA_EVENT_BUS: bus.name }),
    ...when(spec.secrets || settings.otlpHeadersSecret !== undefined, {
      MANTISSA_SECRET_PREFIX: deployment.secretPrefix,
    }),
    ...(settings.otlpEndpoint ? { MANTISSA_OTLP_ENDPOINT: settings.otlpEndpoint } : {}),
    ...(settings.otlpHeadersSecret ? { MANTISSA_OTLP_HEADERS_SECRET: settings.otlpHeadersSecret } : {}),
  };
}

type Variables = Record<string, pulumi.Input<string>>;

function when(needed: boolean, variables: Variables): Variables {
  return needed ? variables : {};
}

/** What all their addresses begin with, and their names: in full they would not fit into the 4 KB of an environment. */
function queueAddresses(names: string[], around: Surroundings): pulumi.Output<string> {
  const addresses = pulumi.all(names.map((name) => around.queue(name).queue.url));
  return addresses.apply((urls) => {
    const [base, ...others] = unique(urls.map((url, at) => url.slice(0, -(names[at]?.length ?? 0))));
    if (base === undefined || others.length > 0) {
      throw new Error(`the queues' addresses do not begin alike: ${urls.join(", ")}`);
    }
    return JSON.stringify({ base, names });
  });
}

function byName<T>(names: string[], value: (name: string) => T): pulumi.Output<string> {
  return pulumi.jsonStringify(Object.fromEntries(names.map((name) => [name, value(name)])));
}
