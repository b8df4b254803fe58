import * as pulumi from "@pulumi/pulumi";
import { allQueues, targetsOf, type Access, type FunctionSpec } from "./inputs.ts";
import type { Statement } from "./policies.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a function's role may do: what its entry in `generated/functions.json` says it needs, on just those resources. */
export function permissions(
  spec: FunctionSpec,
  around: Surroundings,
  logGroupArn: pulumi.Output<string>,
  secretArns: pulumi.Output<string>[],
): Statement[] {
  return [
    {
      Sid: "Log",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      // Streams are named by Lambda, one for each instance of the function.
      Resource: pulumi.interpolate`${logGroupArn}:log-stream:*`,
    },
    around.encryption.use(),
    ...queues(spec, around),
    ...topics(spec, around),
    ...tables(spec, around),
    ...objects(spec, around),
    ...queries(spec, around),
    ...(spec.event_bus ? [allow("PutEvents", ["events:PutEvents"], [around.bus.arn])] : []),
    ...(spec.mail && around.mail ? [allow("SendMail", ["ses:SendEmail"], [around.mail.arn])] : []),
    ...statement(
      "ReadSecrets",
      ["secretsmanager:GetSecretValue"],
      [...secretArns, ...(around.otlpHeaders ? [around.otlpHeaders.arn] : [])],
    ),
  ];
}

function queues(spec: FunctionSpec, around: Surroundings): Statement[] {
  const own = spec.queues.map(around.queue);
  const targets = targetsOf(spec).queues.map(around.queue);
  const every = allQueues.map(({ name }) => around.queue(name));
  const counted = spec.dead_letters || spec.http ? every : [];
  const looked = spec.dead_letters ? every : [];
  return [
    ...statement(
      "Consume",
      ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
      own.map(({ queue }) => queue.arn),
    ),
    // A message nobody can read is buried with the reason, not received until SQS gives up.
    ...statement(
      "Bury",
      ["sqs:SendMessage"],
      own.map(({ dlq }) => dlq.arn),
    ),
    ...statement(
      "Send",
      ["sqs:SendMessage"],
      targets.map(({ queue }) => queue.arn),
    ),
    ...statement(
      "Count",
      ["sqs:GetQueueAttributes"],
      counted.flatMap(({ queue, dlq }) => [queue.arn, dlq.arn]),
    ),
    // Looking lets go again of what it receives; who replays or discards does so with rights of their own.
    ...statement(
      "LookAtDeadLetters",
      ["sqs:ChangeMessageVisibility", "sqs:ReceiveMessage"],
      looked.map(({ dlq }) => dlq.arn),
    ),
  ];
}

function topics(spec: FunctionSpec, around: Surroundings): Statement[] {
  return statement(
    "Publish",
    ["sns:Publish"],
    targetsOf(spec).topics.map((name) => around.topic(name).arn),
  );
}

const READ_ITEMS = ["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query"];
const WRITE_ITEMS = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];

function tables(spec: FunctionSpec, around: Surroundings): Statement[] {
  const arns = (access: Access) =>
    spec.tables.filter((table) => table.access === access).flatMap(({ table }) => around.state.arnsOf(table));
  return [
    ...statement("ReadTables", READ_ITEMS, arns("read")),
    ...statement("ReadAndWriteTables", [...READ_ITEMS, ...WRITE_ITEMS], arns("read_write")),
  ];
}

const WRITE_OBJECTS = ["s3:AbortMultipartUpload", "s3:PutObject"];

function objects(spec: FunctionSpec, around: Surroundings): Statement[] {
  const { lake, configuration } = around;
  const readsLake = spec.lake !== null || spec.athena === "start";
  const inLake = pulumi.interpolate`${lake.bucket.arn}/*`;
  return [
    ...(readsLake ? [allow("ListLake", ["s3:GetBucketLocation", "s3:ListBucket"], [lake.bucket.arn])] : []),
    ...(readsLake ? [allow("ReadLake", ["s3:GetObject"], [inLake])] : []),
    ...(spec.lake === "read_write" ? [allow("WriteLake", [...WRITE_OBJECTS, "s3:DeleteObject"], [inLake])] : []),
    // Without the right to list, S3 answers that an object is forbidden where it is gone.
    ...(spec.raw_objects ? [allow("ListRaw", ["s3:ListBucket"], [lake.raw.arn])] : []),
    ...(spec.raw_objects ? [allow("ReadRaw", ["s3:GetObject"], [pulumi.interpolate`${lake.raw.arn}/*`])] : []),
    ...(spec.configuration ? [allow("ReadConfiguration", ["s3:GetObject"], [configuration.objectArns])] : []),
  ];
}

const FOLLOW_QUERIES = [
  "athena:GetQueryExecution",
  "athena:GetQueryResults",
  "athena:GetQueryRuntimeStatistics",
  "athena:StopQueryExecution",
];
const READ_CATALOGUE = [
  "glue:GetDatabase",
  "glue:GetPartition",
  "glue:GetPartitions",
  "glue:GetTable",
  "glue:GetTables",
];

function queries(spec: FunctionSpec, around: Surroundings): Statement[] {
  if (spec.athena === null) {
    return [];
  }
  const { deployment, lake } = around;
  const { database } = lake.catalogue;
  const starts = spec.athena === "start";
  return [
    allow("Query", [...FOLLOW_QUERIES, ...(starts ? ["athena:StartQueryExecution"] : [])], [lake.workgroup.arn]),
    allow("ReadCatalogue", READ_CATALOGUE, [
      deployment.arn("glue", "catalog"),
      // Athena looks whether the default database is there, whatever is queried.
      deployment.arn("glue", "database/default"),
      deployment.arn("glue", pulumi.interpolate`database/${database}`),
      deployment.arn("glue", pulumi.interpolate`table/${database}/*`),
    ]),
    allow("ListResults", ["s3:GetBucketLocation", "s3:ListBucket"], [lake.results.arn]),
    allow(
      "Results",
      ["s3:GetObject", ...(starts ? [...WRITE_OBJECTS, "s3:ListMultipartUploadParts"] : [])],
      [pulumi.interpolate`${lake.results.arn}/*`],
    ),
  ];
}

function allow(sid: string, actions: string[], resources: pulumi.Input<string>[]): Statement {
  return { Sid: sid, Action: actions, Resource: resources };
}

/** Nothing, where there is nothing to allow it on. */
function statement(sid: string, actions: string[], resources: pulumi.Input<string>[]): Statement[] {
  return resources.length > 0 ? [allow(sid, actions, resources)] : [];
}
