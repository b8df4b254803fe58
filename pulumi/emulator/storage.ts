import { readFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import { REGION } from "./clients.ts";
import { CreateTableCommand, UpdateContinuousBackupsCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { CreateAliasCommand, CreateKeyCommand, EnableKeyRotationCommand } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type Event,
} from "@aws-sdk/client-s3";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { hasStatements, overPlainHttp, present, tagList, type Inputs, type ResourceType } from "./resource_type.ts";
import { zip } from "./zip.ts";

/** Keys, buckets and their objects, tables, secrets. */
export const storage: Record<string, ResourceType> = {
  "aws:kms/key:Key": {
    passes: ["description", "enableKeyRotation", "policy", "tags"],
    async create(inputs, { kms }) {
      const Tags = tagList(inputs).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));
      const answer = await kms.send(
        new CreateKeyCommand({ Description: inputs.description, Policy: inputs.policy, Tags }),
      );
      const keyId = present(answer.KeyMetadata?.KeyId, "the key's id");
      if (inputs.enableKeyRotation) {
        await kms.send(new EnableKeyRotationCommand({ KeyId: keyId }));
      }
      return { id: keyId, outputs: { keyId, arn: present(answer.KeyMetadata?.Arn, "the key's ARN") } };
    },
  },
  "aws:kms/alias:Alias": {
    passes: ["name", "targetKeyId"],
    async create(inputs, { kms }) {
      await kms.send(new CreateAliasCommand({ AliasName: inputs.name, TargetKeyId: inputs.targetKeyId }));
      return { id: inputs.name };
    },
  },
  "aws:s3/bucket:Bucket": {
    passes: ["bucket", "tags"],
    leavesOut: { forceDestroy: "says what Pulumi does when it destroys the bucket" },
    async create(inputs, { s3 }) {
      const Bucket: string = inputs.bucket;
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tagList(inputs) } }));
      return {
        id: Bucket,
        outputs: { arn: `arn:aws:s3:::${Bucket}`, bucketRegionalDomainName: `${Bucket}.s3.${REGION}.amazonaws.com` },
      };
    },
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
    passes: ["bucket", "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"],
    async create(inputs, { s3 }) {
      const PublicAccessBlockConfiguration = {
        BlockPublicAcls: inputs.blockPublicAcls,
        BlockPublicPolicy: inputs.blockPublicPolicy,
        IgnorePublicAcls: inputs.ignorePublicAcls,
        RestrictPublicBuckets: inputs.restrictPublicBuckets,
      };
      await s3.send(new PutPublicAccessBlockCommand({ Bucket: inputs.bucket, PublicAccessBlockConfiguration }));
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
    passes: ["bucket", "rule"],
    async create(inputs, { s3 }) {
      const Rules = [{ ObjectOwnership: inputs.rule.objectOwnership }];
      await s3.send(new PutBucketOwnershipControlsCommand({ Bucket: inputs.bucket, OwnershipControls: { Rules } }));
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
    passes: ["bucket", "rules"],
    async create(inputs, { s3 }) {
      const Rules = (inputs.rules as Inputs[]).map((rule) => ({
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: rule.applyServerSideEncryptionByDefault.sseAlgorithm,
          KMSMasterKeyID: rule.applyServerSideEncryptionByDefault.kmsMasterKeyId,
        },
        BucketKeyEnabled: rule.bucketKeyEnabled,
      }));
      await s3.send(
        new PutBucketEncryptionCommand({ Bucket: inputs.bucket, ServerSideEncryptionConfiguration: { Rules } }),
      );
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketPolicy:BucketPolicy": {
    passes: ["bucket", "policy"],
    async create(inputs, { s3 }) {
      const Policy = overPlainHttp(inputs.policy);
      if (hasStatements(Policy)) {
        await s3.send(new PutBucketPolicyCommand({ Bucket: inputs.bucket, Policy }));
      }
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketVersioning:BucketVersioning": {
    passes: ["bucket", "versioningConfiguration"],
    async create(inputs, { s3 }) {
      const VersioningConfiguration = { Status: inputs.versioningConfiguration.status };
      await s3.send(new PutBucketVersioningCommand({ Bucket: inputs.bucket, VersioningConfiguration }));
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
    passes: ["bucket", "rules"],
    async create(inputs, { s3 }) {
      const Rules = (inputs.rules as Inputs[]).map((rule) => ({
        ID: rule.id,
        Status: rule.status,
        Filter: { Prefix: rule.filter.prefix },
        ...(rule.abortIncompleteMultipartUpload
          ? {
              AbortIncompleteMultipartUpload: {
                DaysAfterInitiation: rule.abortIncompleteMultipartUpload.daysAfterInitiation,
              },
            }
          : {}),
        ...(rule.transitions
          ? {
              Transitions: rule.transitions.map((each: Inputs) => ({
                Days: each.days,
                StorageClass: each.storageClass,
              })),
            }
          : {}),
        ...(rule.expiration
          ? {
              Expiration: {
                Days: rule.expiration.days,
                ExpiredObjectDeleteMarker: rule.expiration.expiredObjectDeleteMarker,
              },
            }
          : {}),
        ...(rule.noncurrentVersionExpiration
          ? { NoncurrentVersionExpiration: { NoncurrentDays: rule.noncurrentVersionExpiration.noncurrentDays } }
          : {}),
      }));
      await s3.send(
        new PutBucketLifecycleConfigurationCommand({ Bucket: inputs.bucket, LifecycleConfiguration: { Rules } }),
      );
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketNotification:BucketNotification": {
    passes: ["bucket", "queues"],
    async create(inputs, { s3 }) {
      const QueueConfigurations = (inputs.queues as Inputs[]).map((queue) => ({
        Id: queue.id,
        QueueArn: queue.queueArn,
        Events: queue.events as Event[],
      }));
      await s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: inputs.bucket,
          NotificationConfiguration: { QueueConfigurations },
        }),
      );
      return { id: inputs.bucket };
    },
  },
  "aws:s3/bucketObjectv2:BucketObjectv2": {
    passes: ["bucket", "key", "source", "contentType", "cacheControl", "kmsKeyId", "serverSideEncryption", "tags"],
    async create(inputs, { s3 }) {
      await s3.send(
        new PutObjectCommand({
          Bucket: inputs.bucket,
          Key: inputs.key,
          Body: await content(inputs.source),
          ContentType: inputs.contentType,
          CacheControl: inputs.cacheControl,
          SSEKMSKeyId: inputs.kmsKeyId,
          ServerSideEncryption: inputs.serverSideEncryption,
          Tagging: new URLSearchParams(inputs.tags).toString(),
        }),
      );
      return { id: inputs.key };
    },
  },
  "aws:dynamodb/table:Table": {
    passes: [
      "name",
      "billingMode",
      "hashKey",
      "rangeKey",
      "attributes",
      "localSecondaryIndexes",
      "globalSecondaryIndexes",
      "ttl",
      "pointInTimeRecovery",
      "serverSideEncryption",
      "deletionProtectionEnabled",
      "tags",
    ],
    async create(inputs, { dynamodb }) {
      const index = (each: Inputs, partitionKey: string) => ({
        IndexName: each.name,
        KeySchema: keySchema(partitionKey, each.rangeKey),
        Projection: { ProjectionType: each.projectionType },
      });
      const local = (inputs.localSecondaryIndexes as Inputs[]).map((each) => index(each, inputs.hashKey));
      const global = (inputs.globalSecondaryIndexes as Inputs[]).map((each) => index(each, each.hashKey));
      const answer = await dynamodb.send(
        new CreateTableCommand({
          TableName: inputs.name,
          BillingMode: inputs.billingMode,
          KeySchema: keySchema(inputs.hashKey, inputs.rangeKey),
          AttributeDefinitions: inputs.attributes.map((each: Inputs) => ({
            AttributeName: each.name,
            AttributeType: each.type,
          })),
          ...(local.length > 0 ? { LocalSecondaryIndexes: local } : {}),
          ...(global.length > 0 ? { GlobalSecondaryIndexes: global } : {}),
          SSESpecification: {
            Enabled: inputs.serverSideEncryption.enabled,
            SSEType: "KMS",
            KMSMasterKeyId: inputs.serverSideEncryption.kmsKeyArn,
          },
          DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
          Tags: tagList(inputs),
        }),
      );
      await dynamodb.send(
        new UpdateContinuousBackupsCommand({
          TableName: inputs.name,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: inputs.pointInTimeRecovery.enabled },
        }),
      );
      if (inputs.ttl) {
        await dynamodb.send(
          new UpdateTimeToLiveCommand({
            TableName: inputs.name,
            TimeToLiveSpecification: { AttributeName: inputs.ttl.attributeName, Enabled: inputs.ttl.enabled },
          }),
        );
      }
      return { id: inputs.name, outputs: { arn: present(answer.TableDescription?.TableArn, "the table's ARN") } };
    },
  },
  "aws:secretsmanager/secret:Secret": {
    passes: ["name", "description", "kmsKeyId", "tags"],
    leavesOut: { recoveryWindowInDays: "says what Secrets Manager does when Pulumi deletes the secret" },
    async create(inputs, { secrets }) {
      const answer = await secrets.send(
        new CreateSecretCommand({
          Name: inputs.name,
          Description: inputs.description,
          KmsKeyId: inputs.kmsKeyId,
          Tags: tagList(inputs),
        }),
      );
      const arn = present(answer.ARN, "the secret's ARN");
      return { id: arn, outputs: { arn } };
    },
  },
};

function keySchema(partitionKey: string, sortKey: string) {
  return [
    { AttributeName: partitionKey, KeyType: "HASH" as const },
    { AttributeName: sortKey, KeyType: "RANGE" as const },
  ];
}

async function content(source: unknown): Promise<Buffer> {
  if (pulumi.asset.AssetArchive.isInstance(source)) {
    const files = Object.entries(await (source as pulumi.asset.AssetArchive).assets);
    return zip(await Promise.all(files.map(async ([name, asset]) => ({ name, content: await content(asset) }))));
  }
  if (pulumi.asset.FileAsset.isInstance(source)) {
    return readFile(await (source as pulumi.asset.FileAsset).path);
  }
  throw new Error("an object's source is neither a file nor an archive of files");
}
