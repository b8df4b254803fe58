import { readFileSync } from "node:fs";
import * as path from "node:path";

// What is deployed is decided in Rust: `contracts/src/topology.rs`, the function table of `services/hosts/aws`, the
// table schema of `services/platform/aws` and the lake catalogue. This file reads what they generate and adds nothing.

export interface QueueSpec {
  name: string;
  messages: string[];
  visibility_timeout_s: number;
  max_receive_count: number;
  batch_size: number;
}

export interface TopicSpec {
  name: string;
  /** Whether accounts outside may be let in; what the other topics carry is between our stages. */
  outside_subscribers: boolean;
  subscriptions: { queue: string; filter: { attribute: string; any_of: string[] } | null }[];
}

export interface Topology {
  queues: QueueSpec[];
  /** Queues that are here and not on one machine. */
  aws_queues: QueueSpec[];
  /** Those of them that hear all that a topic is told. */
  aws_subscriptions: { topic: string; queue: string }[];
  topics: TopicSpec[];
  publications: { message: string; publishers: string[]; target: { queue: string } | { topic: string } }[];
  queue_retention_days: number;
  dlq_retention_days: number;
}

export type Access = "read" | "read_write";

export interface FunctionSpec {
  name: string;
  binary: string;
  doc: string;
  /** The names under which it publishes. */
  services: string[];
  /** The queues whose messages it is given. */
  queues: string[];
  schedule: { rate_minutes: number; input: unknown } | null;
  http: boolean;
  /** What it is invoked with when the configuration or its code is another one. */
  on_deployment: { run: string } | null;
  timeout_s: number;
  memory_mb: number;
  max_concurrency: number;
  tables: { table: string; access: Access }[];
  lake: Access | null;
  raw_objects: boolean;
  configuration: boolean;
  athena: "start" | "read" | null;
  secrets: boolean;
  dead_letters: boolean;
  event_bus: boolean;
  /** Sends mails. */
  mail: boolean;
}

export interface TableSpec {
  name: string;
  indexes: {
    name: string;
    local: boolean;
    partition_key: string;
    sort_key: string;
    sort_key_type: "text" | "number";
  }[];
  /** The attribute with the second after which an item may go. */
  expires: string | null;
}

export interface ColumnSpec {
  name: string;
  hive_type: string;
  trino_type: string;
  doc: string;
}

export interface LakeSpec {
  /** The first and the last year that events in the lake are of. */
  event_years: [number, number];
  partition_columns: string[];
  /** `log_source`: as the metric `mantissa_ingest_lag_seconds` names it. */
  tables: { name: string; log_source: string; doc: string; columns: ColumnSpec[] }[];
  views: { name: string; doc: string; sql: string; columns: ColumnSpec[] }[];
}

export const topology: Topology = withOwnSubscriptions(read("../contracts/topology.json"));
export const functions: FunctionSpec[] = read("generated/functions.json");
export const tables: TableSpec[] = read("generated/tables.json");
export const lake: LakeSpec = read("generated/lake.json");

export const allQueues: QueueSpec[] = [...topology.queues, ...topology.aws_queues];

function withOwnSubscriptions(table: Topology): Topology {
  const topics = table.topics.map((topic) => {
    const own = table.aws_subscriptions.filter((subscription) => subscription.topic === topic.name);
    return { ...topic, subscriptions: [...topic.subscriptions, ...own.map(({ queue }) => ({ queue, filter: null }))] };
  });
  return { ...table, topics };
}

/** The function that is given a queue's messages. */
export function consumerOf(queue: string): FunctionSpec {
  const [consumer, ...others] = functions.filter((spec) => spec.queues.includes(queue));
  if (!consumer || others.length > 0) {
    throw new Error(`queue \`${queue}\` needs exactly one function in generated/functions.json that consumes it`);
  }
  return consumer;
}

/** The queues and topics a function publishes to. */
export function targetsOf(spec: FunctionSpec): { queues: string[]; topics: string[] } {
  const targets = topology.publications
    .filter((publication) => publication.publishers.some((publisher) => spec.services.includes(publisher)))
    .map((publication) => publication.target);
  return {
    queues: unique(targets.flatMap((target) => ("queue" in target ? [target.queue] : []))),
    topics: unique(targets.flatMap((target) => ("topic" in target ? [target.topic] : []))),
  };
}

/** The types of destinations whose notifications a function is given: `slack`. None for those that notify nobody. */
export function notifiedTypes(spec: FunctionSpec): string[] {
  return topology.topics
    .flatMap(({ subscriptions }) => subscriptions)
    .filter(({ queue, filter }) => spec.queues.includes(queue) && filter?.attribute === "destination_type")
    .flatMap(({ filter }) => filter?.any_of ?? []);
}

export function unique<T>(items: T[]): T[] {
  return [...new Set(items)];
}

function read<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(path.join(__dirname, file), "utf8")) as T;
  } catch (cause) {
    throw new Error(`cannot read ${file}; \`make contracts\` writes it`, { cause });
  }
}
