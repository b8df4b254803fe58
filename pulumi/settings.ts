import { Config } from "@pulumi/pulumi";
import { functions, notifiedTypes } from "./inputs.ts";

/** What differs between stacks: every key of `Pulumi.<stack>.yaml`, with its default. */
export interface Settings {
  /** Where `make lambda` put `<binary>/bootstrap.zip` for the architecture. */
  packages: string;
  architecture: "arm64" | "x86_64";
  /** The configuration archive: `mantissa.toml`, the rules' folder and, if there, what `[enrichment]` names. */
  configurationFile: string;
  rulesFolder: string;
  assetsFile: string | undefined;
  maxmindFile: string | undefined;
  /** Keeps tables, the user pool, buckets, DLQs and the key from being deleted by mistake. */
  protect: boolean;
  /** How many of a queue's function run at once, at most, whatever the function asks for: two or more. */
  maxConcurrency: number | undefined;
  logFilter: string;
  logRetentionDays: number;
  otlpEndpoint: string | undefined;
  /** A secret to create, empty, for what the collector wants to be told: `name=value,name=value`. */
  otlpHeadersSecret: string | undefined;
  /** Accounts, beside this one, whose CloudTrail, VPC flow logs and GuardDuty may deliver into the raw bucket. */
  logAccounts: string[];
  /** Accounts that may subscribe queues and HTTPS endpoints of theirs to our topics. */
  outsideSubscribers: string[];
  /** Secrets to create, empty, for the destinations of a type that name them: `{"slack": ["security-alerts"]}`. */
  destinationSecrets: Record<string, string[]>;
  /** Who is written to when an alarm goes off. A protected stack needs somebody. */
  operatorEmails: string[];
  /** A domain, or one address, that SES may send mails from: `example.com`. Without it no mail is sent. */
  mailIdentity: string | undefined;
  /** One query is stopped when it has read this much. */
  queryLimitGib: number;
  /** An hour in which all queries together read more than this is unusual. */
  hourlyQueryAlarmGib: number;
  /** A source is late when an object of it took longer than this from S3 into the lake. */
  ingestLagAlarmMinutes: number;
  /** The built web application; without it the bucket stays empty. */
  webFolder: string;
}

export function readSettings(): Settings {
  const config = new Config();
  const architecture = config.get("architecture") ?? "x86_64";
  if (architecture !== "arm64" && architecture !== "x86_64") {
    throw new Error(`architecture is \`${architecture}\`; set mantissa:architecture to arm64 or x86_64`);
  }
  const settings: Settings = {
    packages: config.get("packages") ?? `../target/lambda/${architecture}`,
    architecture,
    configurationFile: config.get("configurationFile") ?? "mantissa.toml",
    rulesFolder: config.get("rulesFolder") ?? "../rules",
    assetsFile: config.get("assetsFile"),
    maxmindFile: config.get("maxmindFile"),
    protect: config.getBoolean("protect") ?? false,
    maxConcurrency: config.getNumber("maxConcurrency"),
    logFilter: config.get("logFilter") ?? "info",
    logRetentionDays: config.getNumber("logRetentionDays") ?? 30,
    otlpEndpoint: config.get("otlpEndpoint"),
    otlpHeadersSecret: config.get("otlpHeadersSecret"),
    logAccounts: accounts(config, "logAccounts"),
    outsideSubscribers: accounts(config, "outsideSubscribers"),
    destinationSecrets: config.getObject<Record<string, string[]>>("destinationSecrets") ?? {},
    operatorEmails: config.getObject<string[]>("operatorEmails") ?? [],
    mailIdentity: config.get("mailIdentity"),
    queryLimitGib: config.getNumber("queryLimitGib") ?? 100,
    hourlyQueryAlarmGib: config.getNumber("hourlyQueryAlarmGib") ?? 500,
    ingestLagAlarmMinutes: config.getNumber("ingestLagAlarmMinutes") ?? 30,
    webFolder: config.get("webFolder") ?? "../web/dist",
  };
  check(settings);
  checkSecrets(settings);
  return settings;
}

function accounts(config: Config, key: string): string[] {
  const ids = config.getObject<string[]>(key) ?? [];
  const wrong = ids.find((id) => !/^\d{12}$/.test(id));
  if (wrong !== undefined) {
    throw new Error(`mantissa:${key} has \`${wrong}\`; write account ids, twelve digits in quotes`);
  }
  return ids;
}

function check({ protect, operatorEmails, maxConcurrency, mailIdentity }: Settings): void {
  if (protect && operatorEmails.length === 0) {
    throw new Error(
      "a protected stack needs somebody who hears its alarms: `pulumi config set --path 'mantissa:operatorEmails[0]' you@example.com`",
    );
  }
  if (maxConcurrency !== undefined && !(Number.isInteger(maxConcurrency) && maxConcurrency >= 2)) {
    throw new Error(`mantissa:maxConcurrency is ${maxConcurrency}; Lambda takes whole numbers from 2`);
  }
  if (mailIdentity !== undefined && !DOMAIN_OR_ADDRESS.test(mailIdentity)) {
    throw new Error(
      `mantissa:mailIdentity is \`${mailIdentity}\`; write a domain, example.com, or one address, alerts@example.com`,
    );
  }
}

/** A secret that is not made, or made for another, is one that a function may not read. */
function checkSecrets({ destinationSecrets, otlpEndpoint, otlpHeadersSecret }: Settings): void {
  const types = functions.flatMap(notifiedTypes);
  const unknown = Object.keys(destinationSecrets).find((type) => !types.includes(type));
  if (unknown !== undefined) {
    throw new Error(`mantissa:destinationSecrets has \`${unknown}\`; destinations are of type ${types.join(", ")}`);
  }
  const names = [...Object.values(destinationSecrets).flat(), ...(otlpHeadersSecret ? [otlpHeadersSecret] : [])];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new Error(`two settings make the secret \`${twice}\`; give each type of destination secrets of its own`);
  }
  if (otlpHeadersSecret && !otlpEndpoint) {
    throw new Error("mantissa:otlpHeadersSecret is for the collector; say where it is with mantissa:otlpEndpoint");
  }
}

/** Light: SES has the last word. */
const DOMAIN_OR_ADDRESS = /^([^\s@<>]+@)?([a-z0-9-]+\.)+[a-z0-9-]+$/i;
