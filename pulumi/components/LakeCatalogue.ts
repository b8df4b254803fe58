import * as pulumi from "@pulumi/pulumi";
import * as glue from "@pulumi/aws/glue";
import type { Deployment } from "../deployment.ts";
import type { ColumnSpec, LakeSpec } from "../inputs.ts";

export interface LakeCatalogueArgs {
  deployment: Deployment;
  bucket: pulumi.Output<string>;
  spec: LakeSpec;
}

/** The lake's tables and views as Athena knows them. Partitions are computed from dates, so nobody has to add them. */
export class LakeCatalogue extends pulumi.ComponentResource {
  readonly database: pulumi.Output<string>;

  constructor(name: string, args: LakeCatalogueArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:LakeCatalogue", name, {}, opts);
    const { deployment, bucket, spec } = args;
    const database = new glue.CatalogDatabase(
      name,
      {
        // Athena's SQL takes no hyphen in a name without quotes.
        name: deployment.name("lake").replaceAll("-", "_"),
        description: `The lake of stack ${deployment.stack}`,
        tags: deployment.tags("LakeCatalogue"),
      },
      { parent: this },
    );
    this.database = database.name;

    const tables = spec.tables.map((table) => {
      const location = pulumi.interpolate`s3://${bucket}/${table.name}`;
      return new glue.CatalogTable(
        `${name}-${table.name}`,
        {
          databaseName: database.name,
          name: table.name,
          description: table.doc,
          tableType: "EXTERNAL_TABLE",
          partitionKeys: spec.partition_columns.map((column) => ({ name: column, type: "string" })),
          parameters: { EXTERNAL: "TRUE", classification: "parquet", ...projection(spec, location) },
          storageDescriptor: {
            location: pulumi.interpolate`${location}/`,
            columns: hiveColumns(table.columns),
            inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serDeInfo: {
              serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
              parameters: { "serialization.format": "1" },
            },
          },
        },
        { parent: this },
      );
    });

    for (const view of spec.views) {
      new glue.CatalogTable(
        `${name}-${view.name}`,
        {
          databaseName: database.name,
          name: view.name,
          description: view.doc,
          tableType: "VIRTUAL_VIEW",
          parameters: { presto_view: "true", comment: "Presto View" },
          viewExpandedText: "/* Presto View */",
          viewOriginalText: database.name.apply((schema) => prestoView(schema, view)),
          partitionKeys: [],
          // Athena refuses a view whose table names no SerDe at all; Trino's own views name it like this.
          storageDescriptor: {
            columns: hiveColumns(view.columns),
            serDeInfo: { name: "-", serializationLibrary: "-" },
          },
        },
        { parent: this, dependsOn: tables },
      );
    }
    this.registerOutputs({ database: this.database });
  }
}

function projection(spec: LakeSpec, location: pulumi.Output<string>): Record<string, pulumi.Input<string>> {
  const columns = spec.partition_columns;
  const projected: Record<string, Record<string, string>> = {
    // Records of other years are in the quarantine, so that none is in a partition nobody sees.
    year: { type: "integer", range: spec.event_years.join(",") },
    month: { type: "integer", range: "1,12", digits: "2" },
    day: { type: "integer", range: "1,31", digits: "2" },
  };
  const parameters: Record<string, pulumi.Input<string>> = {
    "projection.enabled": "true",
    "storage.location.template": pulumi.interpolate`${location}/${columns.map((c) => `${c}=\${${c}}`).join("/")}`,
  };
  for (const column of columns) {
    const values = projected[column];
    if (!values) {
      throw new Error(`no partition projection for \`${column}\`; say in LakeCatalogue.ts what values it has`);
    }
    for (const [key, value] of Object.entries(values)) {
      parameters[`projection.${column}.${key}`] = value;
    }
  }
  return parameters;
}

function hiveColumns(columns: ColumnSpec[]) {
  return columns.map((column) => ({ name: column.name, type: column.hive_type, comment: column.doc }));
}

/** A view as Trino and Athena keep it in the catalogue: JSON in Base64 in a comment. */
export function prestoView(schema: string, view: LakeSpec["views"][number]): string {
  const definition = {
    originalSql: view.sql,
    catalog: "awsdatacatalog",
    schema,
    columns: view.columns.map((column) => ({ name: column.name, type: column.trino_type })),
  };
  return `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString("base64")} */`;
}
