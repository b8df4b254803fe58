import assert from "node:assert/strict";
import { test } from "node:test";
import { FirstRun } from "../components/FirstRun.ts";
import { Notifier } from "../components/Notifier.ts";
import { PipelineStage } from "../components/PipelineStage.ts";
import { topology, type FunctionSpec } from "../inputs.ts";
import type { Settings } from "../settings.ts";
import { someFunction, someSurroundings, STACK } from "./builders.ts";
import { all, only, record, statements, value, type PolicyStatement, type Recorded } from "./record.ts";

async function deployed(spec: Partial<FunctionSpec>, settings: Partial<Settings> = {}): Promise<Recorded[]> {
  const { resources } = await record(
    STACK,
    () => new PipelineStage("stage", { spec: someFunction(spec), around: someSurroundings(settings) }),
  );
  return resources;
}

function environment(resources: Recorded[]): Record<string, string> {
  return only(resources, "aws:lambda/function:Function").inputs["environment"].variables;
}

/** What the role may do, by the statement's name. */
function allowed(resources: Recorded[]): Record<string, PolicyStatement> {
  const { inputs } = only(resources, "aws:iam/rolePolicy:RolePolicy", "stage");
  return Object.fromEntries(statements(inputs["policy"]).map((statement) => [statement.Sid, statement]));
}

test("a function that needs nothing may log and use the key, nothing else", async () => {
  const resources = await deployed({});
  assert.deepEqual(Object.keys(allowed(resources)), ["Log", "UseKey"]);
  assert.deepEqual(environment(resources), {
    MANTISSA_FUNCTION: "stage",
    MANTISSA_TABLE_PREFIX: "mantissa-test-",
    MANTISSA_LOG: "info",
    MANTISSA_METRIC_NAMESPACE: "Mantissa/test",
  });
});

test("it is told of the queues it reads and publishes to, and may do just that", async () => {
  const resources = await deployed({ services: ["query-worker"], queues: ["query-worker-query_requested"] });
  assert.deepEqual(JSON.parse(environment(resources)["MANTISSA_QUEUES"] ?? ""), {
    base: "https://sqs.eu-central-1.amazonaws.com/123456789012/mantissa-test-",
    names: ["query-worker-query_requested", "result-poller-query_started", "scheduler-rule_failed"],
  });
  const arn = (name: string) => `arn:aws:sqs:eu-central-1:123456789012:mantissa-test-${name}`;
  assert.deepEqual(allowed(resources)["Consume"]?.Resource, [arn("query-worker-query_requested")]);
  assert.deepEqual(allowed(resources)["Bury"]?.Resource, [arn("query-worker-query_requested-dlq")]);
  assert.deepEqual(allowed(resources)["Send"]?.Resource, [
    arn("result-poller-query_started"),
    arn("scheduler-rule_failed"),
  ]);
});

test("it is told of the topics it publishes to", async () => {
  const resources = await deployed({ services: ["dedup"] });
  const alerts = "arn:aws:sns:eu-central-1:123456789012:mantissa-test-alerts";
  assert.deepEqual(JSON.parse(environment(resources)["MANTISSA_TOPICS"] ?? ""), { alerts });
  assert.deepEqual(allowed(resources)["Publish"]?.Resource, [alerts]);
});

test("who reads a table does not write it, and nobody scans one", async () => {
  const resources = await deployed({
    tables: [
      { table: "rules", access: "read" },
      { table: "alerts", access: "read_write" },
    ],
  });
  const { ReadTables: read, ReadAndWriteTables: write } = allowed(resources);
  const table = "arn:aws:dynamodb:eu-central-1:123456789012:table/mantissa-test-";
  assert.deepEqual(read?.Resource, [`${table}rules`]);
  assert.ok(!read?.Action.includes("dynamodb:PutItem"));
  assert.ok([write?.Resource ?? []].flat().includes(`${table}alerts/index/by_end`));
  assert.ok(write?.Action.includes("dynamodb:PutItem"));
  assert.ok([read, write].every((statement) => !statement?.Action.includes("dynamodb:Scan")));
});

test("who starts queries reads the lake and writes results; who follows them only reads results", async () => {
  const starts = allowed(await deployed({ athena: "start" }));
  assert.ok(starts["Query"]?.Action.includes("athena:StartQueryExecution"));
  assert.ok(starts["ReadLake"]);
  assert.ok(starts["Results"]?.Action.includes("s3:PutObject"));
  const resources = await deployed({ athena: "read" });
  const follows = allowed(resources);
  assert.ok(!follows["Query"]?.Action.includes("athena:StartQueryExecution"));
  assert.equal(follows["ReadLake"], undefined);
  assert.deepEqual(follows["Results"]?.Action, ["s3:GetObject"]);
  assert.deepEqual(JSON.parse(environment(resources)["MANTISSA_ATHENA"] ?? ""), {
    workgroup: "mantissa-test",
    database: "mantissa_test_lake",
  });
});

test("only who writes the lake may delete from it", async () => {
  assert.equal(allowed(await deployed({ lake: "read" }))["WriteLake"], undefined);
  const written = await deployed({ lake: "read_write", raw_objects: true });
  assert.ok(allowed(written)["WriteLake"]?.Action.includes("s3:DeleteObject"));
  assert.deepEqual(allowed(written)["ReadRaw"]?.Action, ["s3:GetObject"]);
  assert.equal(environment(written)["MANTISSA_LAKE_BUCKET"], "mantissa-test-lake-123456789012");
});

test("who watches dead letters counts every queue, sees every DLQ, and takes nothing from one", async () => {
  const resources = await deployed({ dead_letters: true });
  const look = allowed(resources)["LookAtDeadLetters"];
  const { names } = JSON.parse(environment(resources)["MANTISSA_QUEUES"] ?? "") as { names: string[] };
  assert.equal(look?.Resource?.length, names.length);
  assert.equal(allowed(resources)["Count"]?.Resource?.length, 2 * names.length);
  assert.ok([look?.Resource ?? []].flat().every((arn) => arn.endsWith("-dlq")));
  assert.ok(!look?.Action.includes("sqs:DeleteMessage"));
});

test("events are put on our bus only, by functions that announce", async () => {
  const resources = await deployed({ event_bus: true });
  const bus = only(resources, "aws:cloudwatch/eventBus:EventBus");
  assert.equal(bus.inputs["name"], "mantissa-test-events");
  const arn = "arn:aws:events:eu-central-1:123456789012:event-bus/mantissa-test-events";
  const put = allowed(resources)["PutEvents"];
  assert.deepEqual([[put?.Action].flat(), [put?.Resource].flat()], [["events:PutEvents"], [arn]]);
  assert.equal(environment(resources)["MANTISSA_EVENT_BUS"], "mantissa-test-events");
  assert.equal(allowed(await deployed({}))["PutEvents"], undefined);
});

test("what is told to a topic is heard by the queues that only AWS has", () => {
  for (const { topic, queue } of topology.aws_subscriptions) {
    const spec = topology.topics.find(({ name }) => name === topic);
    assert.deepEqual(
      spec?.subscriptions.filter((subscription) => subscription.queue === queue),
      [{ queue, filter: null }],
    );
  }
});

test("who may have secrets knows how they are named, and may read none that was not made for it", async () => {
  const resources = await deployed({ secrets: true });
  assert.equal(allowed(resources)["ReadSecrets"], undefined);
  assert.equal(environment(resources)["MANTISSA_SECRET_PREFIX"], "mantissa-test/");
});

test("a batch that fails in part comes back in part, and no more run at once than may", async () => {
  const resources = await deployed({ queues: ["dedup-rule_matched"], max_concurrency: 1 });
  const { inputs } = only(resources, "aws:lambda/eventSourceMapping:EventSourceMapping");
  assert.deepEqual(inputs["functionResponseTypes"], ["ReportBatchItemFailures"]);
  // Lambda takes no less.
  assert.deepEqual(inputs["scalingConfig"], { maximumConcurrency: 2 });
  assert.ok(inputs["batchSize"] > 10);
  assert.equal(inputs["maximumBatchingWindowInSeconds"], 1);
});

test("an account with a small quota bounds how many run at once, and raises none", async () => {
  const runAtOnce = async (max_concurrency: number, maxConcurrency: number | undefined) => {
    const resources = await deployed({ queues: ["dedup-rule_matched"], max_concurrency }, { maxConcurrency });
    return only(resources, "aws:lambda/eventSourceMapping:EventSourceMapping").inputs["scalingConfig"];
  };
  assert.deepEqual(await runAtOnce(10, undefined), { maximumConcurrency: 10 });
  assert.deepEqual(await runAtOnce(10, 3), { maximumConcurrency: 3 });
  assert.deepEqual(await runAtOnce(5, 8), { maximumConcurrency: 5 });
});

test("a schedule may invoke just its function, and does not try again", async () => {
  const resources = await deployed({ schedule: { rate_minutes: 1, input: { run: "tick" } } });
  const { inputs } = only(resources, "aws:scheduler/schedule:Schedule");
  assert.equal(inputs["scheduleExpression"], "rate(1 minute)");
  assert.equal(inputs["target"].input, '{"run":"tick"}');
  assert.deepEqual(inputs["target"].retryPolicy, { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 });
  const policy = only(resources, "aws:iam/rolePolicy:RolePolicy", "stage-schedule");
  assert.deepEqual(statements(policy.inputs["policy"]), [
    {
      Effect: "Allow",
      Action: "lambda:InvokeFunction",
      Resource: "arn:aws:lambda:eu-central-1:123456789012:function:mantissa-test-stage",
    },
  ]);
});

test("a tick is dropped when the next is due, and Lambda keeps none for longer than six hours", async () => {
  for (const [rate_minutes, age] of [
    [1, 60],
    [60, 3600],
    [1440, 21_600],
  ] as const) {
    const resources = await deployed({ schedule: { rate_minutes, input: {} } });
    const { inputs } = only(resources, "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig");
    assert.deepEqual([inputs["maximumEventAgeInSeconds"], inputs["maximumRetryAttempts"]], [age, 0]);
  }
});

test("a package that is not there is an error that says what to do", async () => {
  await assert.rejects(deployed({ binary: "nothing" }), /run `make lambda`/);
});

test("telemetry goes out only where the stack says so", async () => {
  assert.equal(environment(await deployed({}))["MANTISSA_OTLP_ENDPOINT"], undefined);
  const sent = await deployed({}, { otlpEndpoint: "https://otel.example.com" });
  assert.equal(environment(sent)["MANTISSA_OTLP_ENDPOINT"], "https://otel.example.com");
});

test("what the collector wants to be told is a secret that every function may read, and nothing beside it", async () => {
  const resources = await deployed({}, { otlpEndpoint: "https://otel.example.com", otlpHeadersSecret: "otlp" });
  assert.equal(only(resources, "aws:secretsmanager/secret:Secret").inputs["name"], "mantissa-test/otlp");
  const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mantissa-test/otlp-AbCdEf";
  const { Action, Resource } = allowed(resources)["ReadSecrets"] ?? {};
  assert.deepEqual([Action, Resource], [["secretsmanager:GetSecretValue"], [arn]]);
  assert.equal(environment(resources)["MANTISSA_OTLP_HEADERS_SECRET"], "otlp");
  assert.equal(environment(resources)["MANTISSA_SECRET_PREFIX"], "mantissa-test/");
});

async function notifier(settings: Partial<Settings>): Promise<Recorded[]> {
  const { resources } = await record(STACK, () => {
    const around = someSurroundings(settings);
    return new Notifier("stage", { spec: someFunction({ queues: ["notifiers-slack"], secrets: true }), around });
  });
  return resources;
}

test("a notifier's secrets are made empty, with the stack's prefix, and it reads only those of its destinations", async () => {
  const resources = await notifier({ destinationSecrets: { slack: ["security-alerts"], webhook: ["tickets"] } });
  assert.equal(only(resources, "aws:secretsmanager/secret:Secret").inputs["name"], "mantissa-test/security-alerts");
  assert.equal(all(resources, "aws:secretsmanager/secretVersion:SecretVersion").length, 0);
  assert.deepEqual(allowed(resources)["ReadSecrets"]?.Resource, [
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mantissa-test/security-alerts-AbCdEf",
  ]);
  const ofOthers = await notifier({ destinationSecrets: { webhook: ["tickets"] } });
  assert.equal(allowed(ofOthers)["ReadSecrets"], undefined);
});

test("a secret can be made again at once, unless the stack is protected", async () => {
  const destinationSecrets = { slack: ["security-alerts"] };
  for (const [protect, days] of [
    [false, 0],
    [true, 30],
  ] as const) {
    const secret = only(await notifier({ destinationSecrets, protect }), "aws:secretsmanager/secret:Secret");
    assert.equal(secret.inputs["recoveryWindowInDays"], days);
  }
});

test("the functions that want to be told of a deployment are, and their answers are kept", async () => {
  const { resources, result } = await record(STACK, () => {
    const around = someSurroundings();
    const stages = [
      new PipelineStage("configure", {
        spec: someFunction({ name: "configure", on_deployment: { run: "configure" } }),
        around,
      }),
      new PipelineStage("stage", { spec: someFunction(), around }),
    ];
    return new FirstRun("first-run", { configuration: around.configuration, stages, after: [] });
  });
  const { inputs } = only(resources, "aws:lambda/invocation:Invocation");
  assert.match(
    inputs["triggers"].configuration,
    /^s3:\/\/mantissa-test-configuration-123456789012\/archives\/[0-9a-f]{16}\.zip$/,
  );
  assert.deepEqual(JSON.parse(inputs["input"]), { run: "configure" });
  assert.deepEqual(Object.keys(result.answers), ["configure"]);
  assert.deepEqual(await value(result.answers["configure"]!), { n_rules: 57, n_destinations: 2, problems: [] });
});
