import { ONLY_TLS } from "../policies.ts";
import { notEncrypted } from "./encrypted.ts";
import { ACCOUNT, all, ofBucket, REGION, statements, type PolicyStatement, type Recorded } from "./record.ts";

/** What must hold for a whole program. Each check names the resources that break it. */
export const checks: Record<string, (resources: Recorded[]) => string[]> = {
  "no bucket is public": (resources) => [
    ...all(resources, "aws:s3/bucket:Bucket").flatMap((bucket) => {
      const block = ofBucket(resources, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket)?.inputs;
      const blocks = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
      return blocks.every((each) => block?.[each] === true) ? [] : [`${bucket.name} does not block public access`];
    }),
    ...resources.filter(({ type }) => PUBLISHING.has(type)).map(({ type, name }) => `${name} is a ${type}`),
  ],

  "nobody is let in who is not named": (resources) =>
    grants(resources).flatMap(({ owner, statement: { Principal } }) => {
      const principals = typeof Principal === "object" ? Object.values(Principal).flat() : [Principal ?? "the role"];
      return principals.some((principal) => principal.includes("*")) ? [`${owner} lets in ${principals.join()}`] : [];
    }),

  "no action is a wildcard": (resources) =>
    grants(resources).flatMap(({ owner, statement }) => {
      const { Action } = statement;
      if (!Action || "NotAction" in statement) {
        return [`${owner} allows whatever it does not name`];
      }
      return [Action]
        .flat()
        .filter((action) => action.includes("*"))
        .map((action) => `${owner} allows ${action}`);
    }),

  "no resource is a wildcard, but for names within what is ours": (resources) =>
    grants(resources).flatMap(({ owner, type, statement }) => {
      if ("NotResource" in statement) {
        return [`${owner} allows it on whatever it does not name`];
      }
      // In a key's own policy the resource `*` is that key.
      const resourceNames = type === "aws:kms/key:Key" ? [] : [statement.Resource ?? []].flat();
      return resourceNames
        .filter((resource) => resource.includes("*") && !isWithinOurs(resource, resources))
        .map((resource) => `${owner} allows it on ${resource}`);
    }),

  "every role is taken on by one service": (resources) =>
    all(resources, "aws:iam/role:Role").flatMap(({ name, inputs }) => {
      const trusted = statements(inputs["assumeRolePolicy"]).map(({ Principal }) => Principal);
      const [only] = trusted;
      const one = trusted.length === 1 && typeof only === "object" && typeof only["Service"] === "string";
      return one && Object.keys(only).length === 1 ? [] : [`role ${name} trusts ${JSON.stringify(trusted)}`];
    }),

  "every function has a role of its own": (resources) => {
    const roles = all(resources, "aws:lambda/function:Function").map(({ inputs }) => String(inputs["role"]));
    return roles.filter((role, at) => roles.indexOf(role) !== at).map((role) => `${role} is of two functions`);
  },

  "every queue has a DLQ": (resources) => {
    const queues = all(resources, "aws:sqs/queue:Queue");
    return mainQueues(resources).flatMap(({ name, inputs }) => {
      const target: string = JSON.parse(inputs["redrivePolicy"] ?? "{}").deadLetterTargetArn ?? "";
      return queues.some((queue) => target.endsWith(`:${queue.inputs["name"]}`)) ? [] : [`${name} has no DLQ`];
    });
  },

  "every queue and every DLQ has an alarm that somebody hears": (resources) => {
    const watched = (metric: string, within: (inputs: Recorded["inputs"]) => boolean) => (queue: Recorded) =>
      all(resources, "aws:cloudwatch/metricAlarm:MetricAlarm").some(
        ({ inputs }) =>
          inputs["metricName"] === metric &&
          inputs["dimensions"]?.QueueName === queue.inputs["name"] &&
          inputs["alarmActions"]?.length > 0 &&
          within(inputs),
      );
    const fallsBehind = watched("ApproximateAgeOfOldestMessage", () => true);
    const fills = watched("ApproximateNumberOfMessagesVisible", ({ period }) => period <= 60);
    const stays = watched("ApproximateNumberOfMessagesVisible", ({ period }) => period > 60);
    return [
      ...mainQueues(resources).filter((queue) => !fallsBehind(queue)),
      ...deadLetterQueues(resources).filter((queue) => !fills(queue) || !stays(queue)),
    ].map(({ name }) => `${name} has no alarm`);
  },

  "a message outlasts six runs of its function, and a failed one comes back alone": (resources) =>
    all(resources, "aws:lambda/eventSourceMapping:EventSourceMapping").flatMap(({ name, inputs }) => {
      const queue = named(resources, "aws:sqs/queue:Queue", inputs["eventSourceArn"]);
      const reader = named(resources, "aws:lambda/function:Function", inputs["functionName"]);
      const hidden = queue?.inputs["visibilityTimeoutSeconds"] >= 6 * reader?.inputs["timeout"];
      return [
        ...(hidden ? [] : [`${name} hides messages for too short`]),
        ...(inputs["functionResponseTypes"]?.includes("ReportBatchItemFailures")
          ? []
          : [`${name} fails batches whole`]),
        ...(inputs["scalingConfig"]?.maximumConcurrency >= 2 ? [] : [`${name} runs as many as it likes`]),
      ];
    }),

  "everything is encrypted": notEncrypted,

  "nothing is reached without TLS": (resources) =>
    resources.flatMap((resource) => {
      const policyType = POLICIES_OF[resource.type];
      if (!policyType) {
        return [];
      }
      const policy = all(resources, policyType).find(({ inputs }) => isOf(inputs, resource));
      const refuses = policy && statements(policy.inputs["policy"]).some(refusesPlainHttp);
      return refuses ? [] : [`${resource.name} is reached without TLS`];
    }),

  "everything is tagged": (resources) =>
    resources
      .filter(({ type }) => !WITHOUT_TAGS.has(type))
      .filter(({ inputs }) => !["project", "stack", "component"].every((tag) => inputs["tags"]?.[tag]))
      .map(({ type, name }) => `${name} (${type}) is not tagged`),

  "what is known can be restored": (resources) =>
    all(resources, "aws:dynamodb/table:Table")
      .filter(({ inputs }) => inputs["pointInTimeRecovery"]?.enabled !== true)
      .map(({ name }) => `${name} has no point-in-time recovery`),

  "nothing is larger than AWS takes": (resources) => [
    ...all(resources, "aws:iam/rolePolicy:RolePolicy")
      .filter(({ inputs }) => inputs["policy"].length > 10_240)
      .map(({ name }) => `the policy of role ${name} is too long`),
    ...all(resources, "aws:lambda/function:Function")
      .filter(({ inputs }) => JSON.stringify(inputs["environment"].variables).length > 4096)
      .map(({ name }) => `the environment of function ${name} is too large`),
  ],

  "no secret's value is in the program": (resources) =>
    all(resources, "aws:secretsmanager/secretVersion:SecretVersion").map(({ name }) => `${name} holds a value`),
};

/** Types that show a bucket to the public. */
const PUBLISHING = new Set([
  "aws:s3/bucketAcl:BucketAcl",
  "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration",
]);

const POLICIES_OF: Record<string, string> = {
  "aws:s3/bucket:Bucket": "aws:s3/bucketPolicy:BucketPolicy",
  "aws:sns/topic:Topic": "aws:sns/topicPolicy:TopicPolicy",
  "aws:sqs/queue:Queue": "aws:sqs/queuePolicy:QueuePolicy",
};

/** Types that AWS gives no tags. A type that is not here needs them, also one that nobody has used yet. */
const WITHOUT_TAGS = new Set([
  "aws:apigatewayv2/authorizer:Authorizer",
  "aws:apigatewayv2/integration:Integration",
  "aws:apigatewayv2/route:Route",
  "aws:cloudfront/function:Function",
  "aws:cloudfront/originAccessControl:OriginAccessControl",
  "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
  "aws:cloudwatch/dashboard:Dashboard",
  "aws:cloudwatch/eventTarget:EventTarget",
  "aws:cognito/userPoolClient:UserPoolClient",
  "aws:cognito/userPoolDomain:UserPoolDomain",
  "aws:glue/catalogTable:CatalogTable",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:kms/alias:Alias",
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  "aws:lambda/invocation:Invocation",
  "aws:lambda/permission:Permission",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketNotification:BucketNotification",
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  "aws:s3/bucketPolicy:BucketPolicy",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketVersioning:BucketVersioning",
  // Its group is tagged.
  "aws:scheduler/schedule:Schedule",
  "aws:sns/topicPolicy:TopicPolicy",
  "aws:sns/topicSubscription:TopicSubscription",
  "aws:sqs/queuePolicy:QueuePolicy",
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
]);

/** Whether a wildcard stands for what is within one thing of this stack: keys in a bucket, tables of the database, streams
 * of a log group. It is at the very end, and nothing else that happens to be named alike is meant. */
function isWithinOurs(resource: string, resources: Recorded[]): boolean {
  const before = resource.slice(0, -1);
  if (!resource.endsWith("*") || before.includes("*")) {
    return false;
  }
  const names = (type: string) => all(resources, type).map(({ inputs }) => inputs["bucket"] ?? inputs["name"]);
  return (
    (before.endsWith("/") &&
      names("aws:s3/bucket:Bucket").some((name) => before.startsWith(`arn:aws:s3:::${name}/`))) ||
    names("aws:glue/catalogDatabase:CatalogDatabase").some((name) => before === `${GLUE}:table/${name}/`) ||
    names("aws:cloudwatch/logGroup:LogGroup").some((name) => before === `${LOGS}:log-group:${name}:log-stream:`)
  );
}

const GLUE = `arn:aws:glue:${REGION}:${ACCOUNT}`;
const LOGS = `arn:aws:logs:${REGION}:${ACCOUNT}`;

/** Everything that any policy of the program allows. */
function grants(resources: Recorded[]): { owner: string; type: string; statement: PolicyStatement }[] {
  return resources.flatMap(({ type, name, inputs }) =>
    ["policy", "assumeRolePolicy"]
      .filter((input) => typeof inputs[input] === "string")
      .flatMap((input) => statements(inputs[input]))
      .filter(({ Effect }) => Effect === "Allow")
      .map((statement) => ({ owner: `${type} ${name}`, type, statement })),
  );
}

function deadLetterQueues(resources: Recorded[]): Recorded[] {
  return all(resources, "aws:sqs/queue:Queue").filter(({ inputs }) => inputs["name"].endsWith("-dlq"));
}

function mainQueues(resources: Recorded[]): Recorded[] {
  return all(resources, "aws:sqs/queue:Queue").filter(({ inputs }) => !inputs["name"].endsWith("-dlq"));
}

function named(resources: Recorded[], type: string, arn: string): Recorded | undefined {
  return all(resources, type).find(({ inputs }) => arn.endsWith(`:${inputs["name"]}`));
}

/** Whether a policy's inputs are about this resource: they name its bucket, its URL or its ARN. */
function isOf(policy: Recorded["inputs"], { inputs }: Recorded): boolean {
  const about: string = policy["bucket"] ?? policy["queueUrl"] ?? policy["arn"] ?? "";
  return about.split(/[/:]/).at(-1) === (inputs["bucket"] ?? inputs["name"]);
}

function refusesPlainHttp({ Sid, Effect, Principal, Condition }: PolicyStatement): boolean {
  const plainHttp = Condition?.["Bool"]?.["aws:SecureTransport"] === "false";
  return Sid === ONLY_TLS && Effect === "Deny" && Principal === "*" && plainHttp;
}
