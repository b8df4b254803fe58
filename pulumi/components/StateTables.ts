import * as pulumi from "@pulumi/pulumi";
import * as dynamodb from "@pulumi/aws/dynamodb";
import type { Deployment } from "../deployment.ts";
import type { TableSpec } from "../inputs.ts";
import type { Encryption } from "./Encryption.ts";

export interface StateTablesArgs {
  deployment: Deployment;
  encryption: Encryption;
  specs: TableSpec[];
  protect: boolean;
}

/** The tables of `services/platform/aws/src/dynamodb/schema.rs`: what is known of alerts, deliveries, windows, rules. */
export class StateTables extends pulumi.ComponentResource {
  /** What tables' names begin with. */
  readonly prefix: string;
  readonly tables: dynamodb.Table[] = [];
  private readonly byName = new Map<string, { spec: TableSpec; table: dynamodb.Table }>();

  constructor(name: string, args: StateTablesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:StateTables", name, {}, opts);
    const { deployment, encryption, protect } = args;
    this.prefix = deployment.name("");
    for (const spec of args.specs) {
      const table = new dynamodb.Table(
        `${name}-${spec.name}`,
        {
          name: deployment.name(spec.name),
          billingMode: "PAY_PER_REQUEST",
          hashKey: "pk",
          rangeKey: "sk",
          attributes: attributes(spec),
          localSecondaryIndexes: spec.indexes
            .filter((index) => index.local)
            .map((index) => ({ name: index.name, rangeKey: index.sort_key, projectionType: "ALL" })),
          globalSecondaryIndexes: spec.indexes
            .filter((index) => !index.local)
            .map((index) => ({
              name: index.name,
              hashKey: index.partition_key,
              rangeKey: index.sort_key,
              projectionType: "ALL",
            })),
          ...(spec.expires ? { ttl: { attributeName: spec.expires, enabled: true } } : {}),
          pointInTimeRecovery: { enabled: true },
          serverSideEncryption: { enabled: true, kmsKeyArn: encryption.keyArn },
          deletionProtectionEnabled: protect,
          tags: deployment.tags("StateTables"),
        },
        { parent: this, protect },
      );
      this.tables.push(table);
      this.byName.set(spec.name, { spec, table });
    }
    this.registerOutputs({ prefix: this.prefix });
  }

  /** The ARNs a policy names for a table: its own and those of its indexes. */
  arnsOf(name: string): pulumi.Output<string>[] {
    const found = this.byName.get(name);
    if (!found) {
      throw new Error(`table \`${name}\` is not in generated/tables.json`);
    }
    const { spec, table } = found;
    return [table.arn, ...spec.indexes.map((index) => pulumi.interpolate`${table.arn}/index/${index.name}`)];
  }
}

/** Keys are text, unless an index says that it sorts numbers. */
function attributes(spec: TableSpec) {
  const types = new Map([
    ["pk", "S"],
    ["sk", "S"],
  ]);
  for (const index of spec.indexes) {
    types.set(index.partition_key, "S");
    types.set(index.sort_key, index.sort_key_type === "number" ? "N" : "S");
  }
  return [...types].map(([name, type]) => ({ name, type }));
}
