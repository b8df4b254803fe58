import { readFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import { CreateLogGroupCommand, PutRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  InvokeCommand,
  PutFunctionEventInvokeConfigCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { present, tagList, type ResourceType } from "./resource_type.ts";
import { ACCOUNT, REGION } from "./clients.ts";

/** Roles, functions, what wakes them, their logs. */
export const compute: Record<string, ResourceType> = {
  "aws:iam/role:Role": {
    passes: ["name", "description", "assumeRolePolicy", "tags"],
    async create(inputs, { iam }) {
      const answer = await iam.send(
        new CreateRoleCommand({
          RoleName: inputs.name,
          Description: inputs.description,
          AssumeRolePolicyDocument: inputs.assumeRolePolicy,
          Tags: tagList(inputs),
        }),
      );
      return { id: inputs.name, outputs: { arn: present(answer.Role?.Arn, "the role's ARN") } };
    },
  },
  "aws:iam/rolePolicy:RolePolicy": {
    passes: ["role", "name", "policy"],
    async create(inputs, { iam }) {
      await iam.send(
        new PutRolePolicyCommand({
          RoleName: inputs.role,
          PolicyName: inputs.name,
          PolicyDocument: asEmulatorJudges(inputs.policy),
        }),
      );
      return { id: `${inputs.role}:${inputs.name}` };
    },
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    passes: ["name", "retentionInDays", "kmsKeyId", "tags"],
    async create(inputs, { logs }) {
      await logs.send(
        new CreateLogGroupCommand({ logGroupName: inputs.name, kmsKeyId: inputs.kmsKeyId, tags: inputs.tags }),
      );
      await logs.send(
        new PutRetentionPolicyCommand({ logGroupName: inputs.name, retentionInDays: inputs.retentionInDays }),
      );
      // The ARN that AWS returns ends in `:*`, and Pulumi leaves that away.
      return { id: inputs.name, outputs: { arn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${inputs.name}` } };
    },
  },
  "aws:lambda/function:Function": {
    passes: [
      "name",
      "description",
      "runtime",
      "architectures",
      "handler",
      "code",
      "timeout",
      "memorySize",
      "role",
      "kmsKeyArn",
      "loggingConfig",
      "environment",
      "tags",
    ],
    leavesOut: {
      sourceCodeHash: "tells Pulumi that the package is another one",
      packageType: "Zip, which Lambda assumes",
      publish: "false, which Lambda assumes",
    },
    async create(inputs, { lambda }, settings) {
      const code = inputs.code as pulumi.asset.FileArchive;
      const answer = await lambda.send(
        new CreateFunctionCommand({
          FunctionName: inputs.name,
          Description: inputs.description,
          Runtime: inputs.runtime,
          Architectures: inputs.architectures,
          Handler: inputs.handler,
          Code: { ZipFile: await readFile(await code.path) },
          Timeout: inputs.timeout,
          MemorySize: inputs.memorySize,
          Role: inputs.role,
          KMSKeyArn: inputs.kmsKeyArn,
          LoggingConfig: {
            LogFormat: inputs.loggingConfig.logFormat,
            ApplicationLogLevel: inputs.loggingConfig.applicationLogLevel,
            LogGroup: inputs.loggingConfig.logGroup,
          },
          Environment: { Variables: { ...inputs.environment.variables, ...settings.functionEnvironment } },
          Tags: inputs.tags,
        }),
      );
      await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60, minDelay: 1 }, { FunctionName: inputs.name });
      const arn = present(answer.FunctionArn, "the function's ARN");
      const invokeArn = `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/${arn}/invocations`;
      return { id: inputs.name, outputs: { arn, invokeArn } };
    },
  },
  "aws:lambda/eventSourceMapping:EventSourceMapping": {
    passes: [
      "eventSourceArn",
      "functionName",
      "batchSize",
      "maximumBatchingWindowInSeconds",
      "functionResponseTypes",
      "scalingConfig",
      "tags",
    ],
    async create(inputs, { lambda }) {
      const answer = await lambda.send(
        new CreateEventSourceMappingCommand({
          EventSourceArn: inputs.eventSourceArn,
          FunctionName: inputs.functionName,
          BatchSize: inputs.batchSize,
          MaximumBatchingWindowInSeconds: inputs.maximumBatchingWindowInSeconds,
          FunctionResponseTypes: inputs.functionResponseTypes,
          ScalingConfig: { MaximumConcurrency: inputs.scalingConfig.maximumConcurrency },
          Tags: inputs.tags,
        }),
      );
      return { id: present(answer.UUID, "the mapping's id") };
    },
  },
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
    passes: ["functionName", "maximumRetryAttempts", "maximumEventAgeInSeconds"],
    async create(inputs, { lambda }) {
      await lambda.send(
        new PutFunctionEventInvokeConfigCommand({
          FunctionName: inputs.functionName,
          MaximumRetryAttempts: inputs.maximumRetryAttempts,
          MaximumEventAgeInSeconds: inputs.maximumEventAgeInSeconds,
        }),
      );
      return { id: inputs.functionName };
    },
  },
  "aws:lambda/permission:Permission": {
    passes: ["action", "function", "principal", "sourceArn"],
    async create(inputs, { lambda }) {
      await lambda.send(
        new AddPermissionCommand({
          StatementId: "permission",
          Action: inputs.action,
          FunctionName: inputs.function,
          Principal: inputs.principal,
          SourceArn: inputs.sourceArn,
        }),
      );
      return { id: "permission" };
    },
  },
  "aws:lambda/invocation:Invocation": {
    passes: ["functionName", "input"],
    leavesOut: {
      triggers: "tell Pulumi when to invoke again",
      lifecycleScope: "CREATE_ONLY: an emulator's stack is created once",
    },
    async create(inputs, { lambda }) {
      const answer = await lambda.send(
        new InvokeCommand({ FunctionName: inputs.functionName, Payload: Buffer.from(inputs.input) }),
      );
      const result = Buffer.from(answer.Payload ?? []).toString("utf8");
      if (answer.FunctionError) {
        throw new Error(`the function failed (${answer.FunctionError}): ${result}`);
      }
      return { id: inputs.functionName, outputs: { result } };
    },
  },
};

/** AWS knows no actions of these names: who may send a message may send a batch. The emulator asks for them. */
const BATCH_ACTIONS: Record<string, string> = {
  "sns:Publish": "sns:PublishBatch",
  "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
  "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
  "sqs:SendMessage": "sqs:SendMessageBatch",
};

/** The emulator asks for the right to send a mail on every resource, never on the identity that sends it. */
const ASKED_ON_EVERYTHING = "ses:SendEmail";

function asEmulatorJudges(policy: string): string {
  const document = JSON.parse(policy) as { Statement: { Action: string | string[]; Resource: unknown }[] };
  const Statement = document.Statement.map((statement) => {
    const actions = [statement.Action].flat();
    return {
      ...statement,
      Action: actions.flatMap((action) => [action, BATCH_ACTIONS[action] ?? []].flat()),
      Resource: actions.includes(ASKED_ON_EVERYTHING) ? "*" : statement.Resource,
    };
  });
  return JSON.stringify({ ...document, Statement });
}
