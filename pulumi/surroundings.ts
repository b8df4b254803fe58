import type { ScheduleGroup } from "@pulumi/aws/scheduler";
import type { Secret } from "@pulumi/aws/secretsmanager";
import type { Configuration } from "./components/Configuration.ts";
import type { DataLake } from "./components/DataLake.ts";
import type { DurableQueue } from "./components/DurableQueue.ts";
import type { AlertTopic } from "./components/AlertTopic.ts";
import type { Encryption } from "./components/Encryption.ts";
import type { EventBus } from "./components/EventBus.ts";
import type { MailIdentity } from "./components/MailIdentity.ts";
import type { StateTables } from "./components/StateTables.ts";
import type { Deployment } from "./deployment.ts";
import type { Settings } from "./settings.ts";

/** What is there before the functions are, and what each of them is given its part of. */
export interface Surroundings {
  deployment: Deployment;
  settings: Settings;
  encryption: Encryption;
  queue: (name: string) => DurableQueue;
  topic: (name: string) => AlertTopic;
  bus: EventBus;
  mail: MailIdentity | undefined;
  /** What the telemetry's collector wants to be told with every export. */
  otlpHeaders: Secret | undefined;
  state: StateTables;
  lake: DataLake;
  configuration: Configuration;
  schedules: ScheduleGroup;
}

/** Finds by name, and says which list the name is missing from. */
export function finder<T extends { spec: { name: string } }>(
  what: string,
  all: T[],
  list: string,
): (name: string) => T {
  const byName = new Map(all.map((each) => [each.spec.name, each]));
  return (name) => {
    const found = byName.get(name);
    if (!found) {
      throw new Error(`${what} \`${name}\` is not in ${list}`);
    }
    return found;
  };
}
