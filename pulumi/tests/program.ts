import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { workFolder } from "./builders.ts";
import { record, type Recorded } from "./record.ts";

/** The whole program, as a stack's file configures it. */
export async function deployed(stack: string, overrides: Record<string, unknown> = {}): Promise<Recorded[]> {
  const { resources } = await deployedWithOutputs(stack, overrides);
  return resources;
}

/** The same, and what the program exports. */
export async function deployedWithOutputs(
  stack: string,
  overrides: Record<string, unknown> = {},
): Promise<{ resources: Recorded[]; outputs: Record<string, unknown> }> {
  const file = readFileSync(path.join(__dirname, "..", `Pulumi.${stack}.yaml`), "utf8");
  const { config } = parse(file) as { config: Record<string, unknown> };
  const folder = workFolder();
  const here = {
    "mantissa:packages": path.join(folder, "packages"),
    "mantissa:configurationFile": path.join(folder, "mantissa.toml"),
    "mantissa:rulesFolder": path.join(folder, "rules"),
    "mantissa:assetsFile": path.join(folder, "assets.csv"),
    "mantissa:webFolder": path.join(folder, "web"),
  };
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries({ ...config, ...here, ...overrides }).map(([key, each]) => [key, text(each)])),
  );
  const { resources, result } = await record(stack, () => {
    forgetTheProgram();
    return require("../index.ts") as Record<string, unknown>;
  });
  return { resources, outputs: result };
}

/** A module runs once; each stack needs it run again. */
function forgetTheProgram(): void {
  for (const loaded of Object.keys(require.cache)) {
    if (!loaded.includes("node_modules")) {
      delete require.cache[loaded];
    }
  }
}

/** What no stack's file sets, set. */
export const EVERYTHING = {
  "mantissa:maxConcurrency": 5,
  "mantissa:logAccounts": ["345678901234"],
  "mantissa:outsideSubscribers": ["210987654321"],
  "mantissa:destinationSecrets": { slack: ["security-alerts"], webhook: ["tickets"] },
  "mantissa:operatorEmails": ["operations@example.com"],
  "mantissa:mailIdentity": "example.com",
  "mantissa:otlpEndpoint": "https://otel.example.com",
  "mantissa:otlpHeadersSecret": "otlp_headers",
};
