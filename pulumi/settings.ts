import { Config } from "@pulumi/pulumi";

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
  /** Keeps tables, the user pool and the lake from being deleted by mistake. */
  protect: boolean;
  logFilter: string;
  logRetentionDays: number;
  otlpEndpoint: string | undefined;
  /** Accounts that may subscribe queues and HTTPS endpoints of theirs to our topics. */
  outsideSubscribers: string[];
  /** Secrets to create, empty, for the destinations of a type that name them: `{"slack": ["security-alerts"]}`. */
  destinationSecrets: Record<string, string[]>;
  /** Who is written to when an alarm goes off. */
  operatorEmails: string[];
  /** A domain, or one address, that SES may send mails from: `example.com`. Without it no mail is sent. */
  mailIdentity: string | undefined;
  /** One query is stopped when it has read this much. */
  queryLimitGib: number;
  /** An hour in which all queries together read more than this is unusual. */
  hourlyQueryAlarmGib: number;
  /** A source is late when its newest object took longer than this to arrive in the lake. */
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
  const outsideSubscribers = config.getObject<string[]>("outsideSubscribers") ?? [];
  for (const account of outsideSubscribers) {
    if (!/^\d{12}$/.test(account)) {
      throw new Error(`mantissa:outsideSubscribers has \`${account}\`; write account ids, twelve digits in quotes`);
    }
  }
  const mailIdentity = config.get("mailIdentity");
  if (mailIdentity !== undefined && !DOMAIN_OR_ADDRESS.test(mailIdentity)) {
    throw new Error(
      `mantissa:mailIdentity is \`${mailIdentity}\`; write a domain, example.com, or one address, alerts@example.com`,
    );
  }
  return {
    packages: config.get("packages") ?? `../target/lambda/${architecture}`,
    architecture,
    configurationFile: config.get("configurationFile") ?? "mantissa.toml",
    rulesFolder: config.get("rulesFolder") ?? "../rules",
    assetsFile: config.get("assetsFile"),
    maxmindFile: config.get("maxmindFile"),
    protect: config.getBoolean("protect") ?? false,
    logFilter: config.get("logFilter") ?? "info",
    logRetentionDays: config.getNumber("logRetentionDays") ?? 30,
    otlpEndpoint: config.get("otlpEndpoint"),
    outsideSubscribers,
    destinationSecrets: config.getObject<Record<string, string[]>>("destinationSecrets") ?? {},
    operatorEmails: config.getObject<string[]>("operatorEmails") ?? [],
    mailIdentity,
    queryLimitGib: config.getNumber("queryLimitGib") ?? 100,
    hourlyQueryAlarmGib: config.getNumber("hourlyQueryAlarmGib") ?? 500,
    ingestLagAlarmMinutes: config.getNumber("ingestLagAlarmMinutes") ?? 30,
    webFolder: config.get("webFolder") ?? "../web/dist",
  };
}

/** Light: SES has the last word. */
const DOMAIN_OR_ADDRESS = /^([^\s@<>]+@)?([a-z0-9-]+\.)+[a-z0-9-]+$/i;
