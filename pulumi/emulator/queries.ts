import { CreateWorkGroupCommand } from "@aws-sdk/client-athena";
import { CreateDatabaseCommand, CreateTableCommand, type TableInput } from "@aws-sdk/client-glue";
import { tagList, type Inputs, type ResourceType } from "./resource_type.ts";
import { ACCOUNT, REGION } from "./clients.ts";

/** The catalogue and Athena. */
export const queries: Record<string, ResourceType> = {
  "aws:glue/catalogDatabase:CatalogDatabase": {
    passes: ["name", "description", "tags"],
    async create(inputs, { glue }) {
      const DatabaseInput = { Name: inputs.name, Description: inputs.description };
      await glue.send(new CreateDatabaseCommand({ DatabaseInput, Tags: inputs.tags }));
      return { id: inputs.name };
    },
  },
  "aws:glue/catalogTable:CatalogTable": {
    passes: [
      "databaseName",
      "name",
      "description",
      "tableType",
      "partitionKeys",
      "parameters",
      "viewOriginalText",
      "viewExpandedText",
      "storageDescriptor",
    ],
    async create(inputs, { glue }) {
      const column = (each: Inputs) => ({ Name: each.name, Type: each.type, Comment: each.comment });
      const storage = inputs.storageDescriptor as Inputs;
      const table: TableInput = {
        Name: inputs.name,
        Description: inputs.description,
        TableType: inputs.tableType,
        PartitionKeys: ((inputs.partitionKeys ?? []) as Inputs[]).map(column),
        Parameters: inputs.parameters,
        ViewOriginalText: inputs.viewOriginalText,
        ViewExpandedText: inputs.viewExpandedText,
        StorageDescriptor: {
          Columns: storage.columns.map(column),
          Location: storage.location,
          InputFormat: storage.inputFormat,
          OutputFormat: storage.outputFormat,
          ...(storage.serDeInfo
            ? {
                SerdeInfo: {
                  SerializationLibrary: storage.serDeInfo.serializationLibrary,
                  Parameters: storage.serDeInfo.parameters,
                },
              }
            : {}),
        },
      };
      await glue.send(new CreateTableCommand({ DatabaseName: inputs.databaseName, TableInput: table }));
      return { id: `${inputs.databaseName}:${inputs.name}` };
    },
  },
  "aws:athena/workgroup:Workgroup": {
    passes: ["name", "description", "configuration", "tags"],
    leavesOut: { forceDestroy: "says what Pulumi does when it destroys the workgroup" },
    async create(inputs, { athena }) {
      const wanted = inputs.configuration as Inputs;
      await athena.send(
        new CreateWorkGroupCommand({
          Name: inputs.name,
          Description: inputs.description,
          Configuration: {
            EnforceWorkGroupConfiguration: wanted.enforceWorkgroupConfiguration,
            PublishCloudWatchMetricsEnabled: wanted.publishCloudwatchMetricsEnabled,
            BytesScannedCutoffPerQuery: wanted.bytesScannedCutoffPerQuery,
            EngineVersion: { SelectedEngineVersion: wanted.engineVersion.selectedEngineVersion },
            ResultConfiguration: {
              OutputLocation: wanted.resultConfiguration.outputLocation,
              EncryptionConfiguration: {
                EncryptionOption: wanted.resultConfiguration.encryptionConfiguration.encryptionOption,
                KmsKey: wanted.resultConfiguration.encryptionConfiguration.kmsKeyArn,
              },
            },
          },
          Tags: tagList(inputs),
        }),
      );
      return { id: inputs.name, outputs: { arn: `arn:aws:athena:${REGION}:${ACCOUNT}:workgroup/${inputs.name}` } };
    },
  },
};
