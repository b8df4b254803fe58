import * as path from "node:path";
import { parseArgs } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { connect } from "./clients.ts";
import { EmulatorMocks, words } from "./mocks.ts";

// Deploys the very program of `../index.ts` into an AWS emulator: Pulumi's engine is replaced by mocks that create each
// resource through the AWS SDK and answer with what the emulator says. A wrong ARN, a missing permission or an order that
// does not hold fails here, as it would fail in an account; but for what the emulator does not judge: Athena's and Glue's
// permissions (Athena is an endpoint of the tests), and what EventBridge may send.

const USAGE = `usage: npm run --silent emulate -- --endpoint http://127.0.0.1:4566 --packages DIR --configuration mantissa.toml --rules DIR
       [--athena-endpoint URL] [--extra-env KEY=VALUE]... [--set SETTING=VALUE]...`;

const PROJECT = "mantissa";
const STACK = "test";

interface Arguments {
  endpoint: string;
  functionEnvironment: Record<string, string>;
  config: Record<string, string>;
}

async function main(): Promise<void> {
  const { endpoint, functionEnvironment, config } = readArguments();
  const mocks = new EmulatorMocks(connect(endpoint), { functionEnvironment });
  const complaints = new Set<string>();
  process.on("unhandledRejection", (error) => complaints.add(`the program: ${words(error)}`));
  // Whatever needs a resource that failed complains too, which tells nothing new.
  const failures = () => (mocks.failures.length > 0 ? mocks.failures : [...complaints]);
  // What waits for a resource that failed waits for ever, until nothing else is left to do.
  process.once("beforeExit", () => fail(failures()));

  pulumi.runtime.setAllConfig(config);
  await pulumi.runtime.setMocks(mocks, PROJECT, STACK, false);
  const program = (await import("../index.ts")) as Record<string, unknown>;
  await pulumi.runtime.disconnect();
  if (failures().length > 0) {
    fail(failures());
  }
  const outputs = await settled({ ...program, default: undefined });
  console.log(JSON.stringify({ ...outputs, resources: mocks.counts }));
  process.exit(0);
}

function fail(failures: string[]): never {
  console.error(`the deployment failed:\n${failures.join("\n")}`);
  process.exit(1);
}

function settled(outputs: Record<string, unknown>): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    pulumi.output(outputs).apply((values) => resolve(values));
  });
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      endpoint: { type: "string" },
      "athena-endpoint": { type: "string" },
      packages: { type: "string" },
      configuration: { type: "string" },
      rules: { type: "string" },
      "extra-env": { type: "string", multiple: true },
      set: { type: "string", multiple: true },
    },
  });
  const { endpoint, packages, configuration, rules, "athena-endpoint": athena } = values;
  if (!endpoint || !packages || !configuration || !rules) {
    throw new Error(USAGE);
  }
  const config = {
    packages: path.resolve(packages),
    configurationFile: path.resolve(configuration),
    rulesFolder: path.resolve(rules),
    ...pairs(values.set ?? []),
  };
  return {
    endpoint,
    functionEnvironment: {
      ...(athena ? { AWS_ENDPOINT_URL_ATHENA: athena } : {}),
      ...pairs(values["extra-env"] ?? []),
    },
    config: Object.fromEntries(Object.entries(config).map(([key, value]) => [`${PROJECT}:${key}`, value])),
  };
}

function pairs(given: string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) {
        throw new Error(`\`${pair}\` is not KEY=VALUE\n${USAGE}`);
      }
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

main().catch((error: unknown) => {
  console.error(words(error));
  process.exit(1);
});
