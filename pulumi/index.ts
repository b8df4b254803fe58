import * as pulumi from "@pulumi/pulumi";
import * as scheduler from "@pulumi/aws/scheduler";
import { Alarms } from "./components/Alarms.ts";
import { AlertTopic } from "./components/AlertTopic.ts";
import { Api } from "./components/Api.ts";
import { Configuration } from "./components/Configuration.ts";
import { DataLake } from "./components/DataLake.ts";
import { DurableQueue } from "./components/DurableQueue.ts";
import { emptySecret } from "./components/emptySecret.ts";
import { Encryption } from "./components/Encryption.ts";
import { EventBus } from "./components/EventBus.ts";
import { FirstRun } from "./components/FirstRun.ts";
import { MailIdentity } from "./components/MailIdentity.ts";
import { Notifier } from "./components/Notifier.ts";
import { PipelineStage } from "./components/PipelineStage.ts";
import { SignIn } from "./components/SignIn.ts";
import { StateTables } from "./components/StateTables.ts";
import { WebSite } from "./components/WebSite.ts";
import { Deployment } from "./deployment.ts";
import { allQueues, consumerOf, functions, lake as lakeSpec, notifiedTypes, tables, topology } from "./inputs.ts";
import { readSettings } from "./settings.ts";
import { finder, type Surroundings } from "./surroundings.ts";

const settings = readSettings();
const deployment = new Deployment(pulumi.getStack());
const { protect, logAccounts } = settings;
const encryption = new Encryption("key", { deployment, protect, logAccounts });

// Where logs land and are kept, what is known of alerts, and the rules.
const lake = new DataLake("lake", {
  deployment,
  encryption,
  protect,
  logAccounts,
  spec: lakeSpec,
  queryLimitGib: settings.queryLimitGib,
});
const state = new StateTables("state", { deployment, encryption, protect, specs: tables });
const configuration = new Configuration("configuration", { deployment, encryption, ...settings });

// What runs between the stages: topics, and queues that hear them, the raw bucket, Athena, and the stages themselves.
const topics = topology.topics.map(
  (spec) =>
    new AlertTopic(spec.name, { deployment, encryption, spec, outsideSubscribers: settings.outsideSubscribers }),
);
const queues = allQueues.map(
  (spec) =>
    new DurableQueue(spec.name, {
      deployment,
      encryption,
      protect,
      spec,
      consumerTimeoutS: consumerOf(spec.name).timeout_s,
      retentionDays: topology.queue_retention_days,
      dlqRetentionDays: topology.dlq_retention_days,
      senders: [...topics.flatMap((topic) => topic.senderTo(spec.name)), ...lake.senderTo(spec)],
    }),
);
const queue = finder("queue", queues, "contracts/topology.json");
const topic = finder("topic", topics, "contracts/topology.json");
topics.forEach((each) => each.subscribe(queue));
lake.announceTo(queues);

// The stages: ingest, scheduler, query-worker, result-poller, dedup, enrichment, notifiers, and those beside them.
const schedules = new scheduler.ScheduleGroup("schedules", {
  name: `mantissa-${deployment.stack}`,
  tags: deployment.tags("PipelineStage"),
});
const bus = new EventBus("events", { deployment, encryption });
const { mailIdentity, otlpHeadersSecret } = settings;
const mail = mailIdentity === undefined ? undefined : new MailIdentity("mail", { deployment, identity: mailIdentity });
const otlpHeaders =
  otlpHeadersSecret === undefined
    ? undefined
    : emptySecret("otlp-headers", {
        deployment,
        encryption,
        protect,
        name: otlpHeadersSecret,
        holds: "What the telemetry's collector wants to be told, name=value,name=value",
        component: "Telemetry",
      });
const around: Surroundings = {
  deployment,
  settings,
  encryption,
  queue,
  topic,
  bus,
  mail,
  otlpHeaders,
  state,
  lake,
  configuration,
  schedules,
};
const stages = functions.map((spec) =>
  notifiedTypes(spec).length > 0
    ? new Notifier(spec.name, { spec, around }).stage
    : new PipelineStage(spec.name, { spec, around }),
);

// People: who they are, what they ask, what they see.
const [answering, ...others] = stages.filter((stage) => stage.spec.http);
if (!answering || others.length > 0) {
  throw new Error("generated/functions.json needs exactly one function with `http`");
}
const signIn = new SignIn("sign-in", { deployment, protect });
const api = new Api("api", { around, stage: answering });
const web = new WebSite("web", { deployment, folder: settings.webFolder, apiUrl: api.url });
const webClientId = signIn.admit("web", web.url);
api.answer(signIn.issuer, webClientId);

// Whoever runs this.
const alarms = new Alarms("alarms", { around, queues, stages, api, web, sources: lakeSpec.tables });

// The rules of this deployment, once everything they are written to is there.
const firstRun = new FirstRun("first-run", { configuration, stages, after: [state, ...queues] });

export const rawBucket = lake.raw.name;
export const lakeBucket = lake.bucket.name;
export const keyArn = encryption.keyArn;
export const configured = firstRun.answers;
export const alertsTopicArn = topic("alerts").arn;
export const topicArns = Object.fromEntries(topics.map((each) => [each.spec.name, each.arn]));
export const eventBusName = bus.name;
export const mailDkimRecords = mail?.dkimRecords ?? [];
export const operationsTopicArn = alarms.topicArn;
export const dashboardUrl = alarms.dashboardUrl;
export const webUrl = web.url;
export const apiUrl = api.url;
export const userPoolId = signIn.userPoolId;
export const signInUrl = signIn.url;
export { webClientId };
export const workgroup = lake.workgroup.name;
export const database = lake.catalogue.database;
export const secretPrefix = deployment.secretPrefix;
export const dlqUrls = Object.fromEntries(queues.map((each) => [each.spec.name, each.dlq.url]));
export const queueUrls = Object.fromEntries(queues.map((each) => [each.spec.name, each.queue.url]));
export const functionNames = Object.fromEntries(stages.map((each) => [each.spec.name, each.function.name]));
