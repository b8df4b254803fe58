import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as scheduler from "@pulumi/aws/scheduler";
import { AlertTopic } from "../components/AlertTopic.ts";
import { Configuration } from "../components/Configuration.ts";
import { DataLake } from "../components/DataLake.ts";
import { DurableQueue } from "../components/DurableQueue.ts";
import { emptySecret } from "../components/emptySecret.ts";
import { Encryption, type EncryptionArgs } from "../components/Encryption.ts";
import { EventBus } from "../components/EventBus.ts";
import { MailIdentity } from "../components/MailIdentity.ts";
import { StateTables } from "../components/StateTables.ts";
import { Deployment } from "../deployment.ts";
import { allQueues, functions, lake, tables, topology, type FunctionSpec, type QueueSpec } from "../inputs.ts";
import type { Settings } from "../settings.ts";
import { finder, type Surroundings } from "../surroundings.ts";

export const STACK = "test";

/** A folder with a package for every function, a configuration, rules, and a built web application. */
export function workFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "mantissa-pulumi-"));
  for (const { binary } of functions) {
    mkdirSync(path.join(folder, "packages", binary), { recursive: true });
    writeFileSync(path.join(folder, "packages", binary, "bootstrap.zip"), `package of ${binary}`);
  }
  mkdirSync(path.join(folder, "rules", "cloudtrail"), { recursive: true });
  writeFileSync(path.join(folder, "rules", "cloudtrail", "root_login.yml"), "title: Root login");
  writeFileSync(path.join(folder, "mantissa.toml"), "");
  writeFileSync(path.join(folder, "assets.csv"), "");
  mkdirSync(path.join(folder, "web", "assets"), { recursive: true });
  writeFileSync(path.join(folder, "web", "index.html"), "<!doctype html>");
  writeFileSync(path.join(folder, "web", "assets", "index-4f2a.js"), "");
  return folder;
}

export function someSettings(overrides: Partial<Settings> = {}): Settings {
  const folder = workFolder();
  return {
    packages: path.join(folder, "packages"),
    architecture: "x86_64",
    configurationFile: path.join(folder, "mantissa.toml"),
    rulesFolder: path.join(folder, "rules"),
    assetsFile: undefined,
    maxmindFile: undefined,
    protect: false,
    maxConcurrency: undefined,
    logFilter: "info",
    logRetentionDays: 7,
    otlpEndpoint: undefined,
    otlpHeadersSecret: undefined,
    logAccounts: [],
    outsideSubscribers: [],
    destinationSecrets: {},
    operatorEmails: [],
    mailIdentity: undefined,
    queryLimitGib: 10,
    hourlyQueryAlarmGib: 50,
    ingestLagAlarmMinutes: 30,
    webFolder: path.join(folder, "web"),
    ...overrides,
  };
}

export function someQueue(overrides: Partial<QueueSpec> = {}): QueueSpec {
  return {
    name: "dedup-rule_matched",
    messages: ["rule_matched"],
    visibility_timeout_s: 60,
    max_receive_count: 5,
    batch_size: 10,
    ...overrides,
  };
}

/** A function that does nothing, until a test says what it does. */
export function someFunction(overrides: Partial<FunctionSpec> = {}): FunctionSpec {
  return {
    name: "stage",
    binary: "dedup",
    doc: "A stage",
    services: [],
    queues: [],
    schedule: null,
    http: false,
    on_deployment: null,
    timeout_s: 10,
    memory_mb: 128,
    max_concurrency: 5,
    tables: [],
    lake: null,
    raw_objects: false,
    configuration: false,
    athena: null,
    secrets: false,
    dead_letters: false,
    event_bus: false,
    mail: false,
    ...overrides,
  };
}

export function someEncryption(overrides: Partial<EncryptionArgs> = {}): Encryption {
  return new Encryption("key", { deployment: new Deployment(STACK), protect: false, logAccounts: [], ...overrides });
}

/** Everything that is there before the functions are. */
export function someSurroundings(overrides: Partial<Settings> = {}): Surroundings & {
  queues: DurableQueue[];
  topics: AlertTopic[];
} {
  const settings = someSettings(overrides);
  const deployment = new Deployment(STACK);
  const { protect, logAccounts, mailIdentity, otlpHeadersSecret, queryLimitGib } = settings;
  const encryption = someEncryption({ protect, logAccounts });
  const secret = { deployment, encryption, protect, holds: "Headers", component: "Telemetry" };
  const topics = topology.topics.map(
    (spec) => new AlertTopic(spec.name, { deployment, encryption, spec, outsideSubscribers: [] }),
  );
  const queues = allQueues.map(
    (spec) =>
      new DurableQueue(spec.name, {
        deployment,
        encryption,
        protect,
        spec,
        consumerTimeoutS: 10,
        retentionDays: 4,
        dlqRetentionDays: 14,
        senders: [],
      }),
  );
  return {
    deployment,
    settings,
    encryption,
    queues,
    topics,
    queue: finder("queue", queues, "the test"),
    topic: finder("topic", topics, "the test"),
    bus: new EventBus("events", { deployment, encryption }),
    mail: mailIdentity === undefined ? undefined : new MailIdentity("mail", { deployment, identity: mailIdentity }),
    otlpHeaders: otlpHeadersSecret ? emptySecret("otlp-headers", { ...secret, name: otlpHeadersSecret }) : undefined,
    state: new StateTables("state", { deployment, encryption, protect, specs: tables }),
    lake: new DataLake("lake", { deployment, encryption, protect, logAccounts, spec: lake, queryLimitGib }),
    configuration: new Configuration("configuration", { deployment, encryption, ...settings }),
    schedules: new scheduler.ScheduleGroup("schedules", { name: "mantissa-test" }),
  };
}
