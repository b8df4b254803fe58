import { all, KEY, ofBucket, type Recorded } from "./record.ts";

/** Whatever is not encrypted with our key, and whatever nobody has said of how it is. */
export function notEncrypted(resources: Recorded[]): string[] {
  return resources.flatMap((resource) => {
    const { type, name } = resource;
    if (NOTHING_TO_ENCRYPT.has(type)) {
      return [];
    }
    const encrypted = ENCRYPTED[type];
    if (!encrypted) {
      return [`${name}: nobody has said how a ${type} is encrypted`];
    }
    return encrypted(resource, resources) ? [] : [`${name} (${type}) is not encrypted`];
  });
}

const ENCRYPTED: Record<string, (resource: Recorded, resources: Recorded[]) => boolean> = {
  "aws:athena/workgroup:Workgroup": ({ inputs: { configuration } }) => {
    const { encryptionOption, kmsKeyArn } = configuration.resultConfiguration.encryptionConfiguration ?? {};
    return configuration.enforceWorkgroupConfiguration === true && encryptionOption === "SSE_KMS" && kmsKeyArn === KEY;
  },
  "aws:cloudfront/distribution:Distribution": ({ inputs }) =>
    [inputs["defaultCacheBehavior"], ...(inputs["orderedCacheBehaviors"] ?? [])].every(
      (behaviour) => behaviour.viewerProtocolPolicy !== "allow-all",
    ),
  "aws:cloudwatch/eventBus:EventBus": ({ inputs }) => inputs["kmsKeyIdentifier"] === KEY,
  "aws:cloudwatch/logGroup:LogGroup": ({ inputs }) => inputs["kmsKeyId"] === KEY,
  "aws:dynamodb/table:Table": ({ inputs }) => inputs["serverSideEncryption"]?.kmsKeyArn === KEY,
  "aws:lambda/function:Function": ({ inputs }) => inputs["kmsKeyArn"] === KEY,
  "aws:s3/bucket:Bucket": bucketIsEncrypted,
  "aws:secretsmanager/secret:Secret": ({ inputs }) => inputs["kmsKeyId"] === KEY,
  "aws:sns/topic:Topic": ({ inputs }) => inputs["kmsMasterKeyId"] === KEY,
  "aws:sqs/queue:Queue": ({ inputs }) => inputs["kmsMasterKeyId"] === KEY,
};

function bucketIsEncrypted(bucket: Recorded, resources: Recorded[]): boolean {
  const type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
  const rules: Recorded["inputs"][] = ofBucket(resources, type, bucket)?.inputs["rules"] ?? [];
  const { sseAlgorithm, kmsMasterKeyId } = rules[0]?.["applyServerSideEncryptionByDefault"] ?? {};
  const ours = sseAlgorithm === "aws:kms" && kmsMasterKeyId === KEY;
  // CloudFront hands these files to everybody, and may not use our key.
  return ours || (isServed(bucket, resources) && sseAlgorithm === "AES256");
}

function isServed(bucket: Recorded, resources: Recorded[]): boolean {
  const origins = all(resources, "aws:cloudfront/distribution:Distribution").flatMap(({ inputs }) => inputs["origins"]);
  return origins.some(({ domainName }) => domainName.startsWith(`${bucket.inputs["bucket"]}.s3.`));
}

/** Types that hold nothing of ours but their own settings, or whose service encrypts them by itself and takes no key. A
 * type that is on neither list fails, also one that nobody has used yet. */
const NOTHING_TO_ENCRYPT = new Set([
  "aws:apigatewayv2/api:Api",
  "aws:apigatewayv2/authorizer:Authorizer",
  "aws:apigatewayv2/integration:Integration",
  "aws:apigatewayv2/route:Route",
  "aws:apigatewayv2/stage:Stage",
  "aws:cloudfront/function:Function",
  "aws:cloudfront/originAccessControl:OriginAccessControl",
  "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
  "aws:cloudwatch/dashboard:Dashboard",
  "aws:cloudwatch/eventRule:EventRule",
  "aws:cloudwatch/eventTarget:EventTarget",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  // Cognito encrypts whom it knows.
  "aws:cognito/userPool:UserPool",
  "aws:cognito/userPoolClient:UserPoolClient",
  "aws:cognito/userPoolDomain:UserPoolDomain",
  "aws:glue/catalogDatabase:CatalogDatabase",
  "aws:glue/catalogTable:CatalogTable",
  "aws:iam/role:Role",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:kms/alias:Alias",
  "aws:kms/key:Key",
  "aws:lambda/eventSourceMapping:EventSourceMapping",
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  "aws:lambda/invocation:Invocation",
  "aws:lambda/permission:Permission",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketNotification:BucketNotification",
  // As its bucket is.
  "aws:s3/bucketObjectv2:BucketObjectv2",
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  "aws:s3/bucketPolicy:BucketPolicy",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketVersioning:BucketVersioning",
  "aws:scheduler/schedule:Schedule",
  "aws:scheduler/scheduleGroup:ScheduleGroup",
  "aws:sesv2/emailIdentity:EmailIdentity",
  "aws:sns/topicPolicy:TopicPolicy",
  "aws:sns/topicSubscription:TopicSubscription",
  "aws:sqs/queuePolicy:QueuePolicy",
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
]);
