import * as pulumi from "@pulumi/pulumi";
import * as kms from "@pulumi/aws/kms";
import type { Deployment } from "../deployment.ts";
import { LOG_SERVICES, policyDocument, type Statement } from "../policies.ts";

/** The one customer key: queues, topics, tables, buckets, logs and the functions' environments are encrypted with it. */
export class Encryption extends pulumi.ComponentResource {
  readonly keyArn: pulumi.Output<string>;

  constructor(name: string, args: { deployment: Deployment }, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:Encryption", name, {}, opts);
    const { deployment } = args;
    const key = new kms.Key(
      name,
      {
        description: `Mantissa Log, stack ${deployment.stack}`,
        enableKeyRotation: true,
        policy: keyPolicy(deployment),
        tags: deployment.tags("Encryption"),
      },
      { parent: this },
    );
    new kms.Alias(name, { name: `alias/mantissa-${deployment.stack}`, targetKeyId: key.keyId }, { parent: this });
    this.keyArn = key.arn;
    this.registerOutputs({ keyArn: this.keyArn });
  }

  /** What a role needs to send to, receive from, read and write what this key encrypts. */
  use(): Statement {
    return {
      Sid: "UseKey",
      Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
      Resource: this.keyArn,
    };
  }
}

/** In a key's own policy the resource `*` is that key. */
const THIS_KEY = "*";

function keyPolicy(deployment: Deployment): pulumi.Output<string> {
  const fromThisAccount = { StringEquals: { "aws:SourceAccount": deployment.accountId } };
  const mayUse = (sid: string, service: string, condition?: Statement["Condition"]): Statement => ({
    Sid: sid,
    Principal: { Service: service },
    Action: ["kms:Decrypt", "kms:GenerateDataKey", ...(service === "events.amazonaws.com" ? ["kms:DescribeKey"] : [])],
    Resource: THIS_KEY,
    ...(condition ? { Condition: condition } : {}),
  });
  return policyDocument([
    {
      // Hands the decision to the account's IAM policies. AWS suggests `kms:*` here; what nobody should do is left out.
      Sid: "AccountDecides",
      Principal: { AWS: pulumi.interpolate`arn:aws:iam::${deployment.accountId}:root` },
      Action: ADMINISTRATION,
      Resource: THIS_KEY,
    },
    mayUse("TopicsToQueues", "sns.amazonaws.com", fromThisAccount),
    mayUse("BucketsToQueues", "s3.amazonaws.com", fromThisAccount),
    // EventBridge sends no source account with its calls to KMS; the policies of queue and topic name its rules.
    mayUse("EventsToQueues", "events.amazonaws.com"),
    ...LOG_SERVICES.map((service, at) => mayUse(`LogsToBucket${at}`, service, fromThisAccount)),
    mayUse("AlarmsToTopic", "cloudwatch.amazonaws.com", fromThisAccount),
    {
      Sid: "Logs",
      Principal: { Service: pulumi.interpolate`logs.${deployment.region}.amazonaws.com` },
      Action: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      Resource: THIS_KEY,
      Condition: {
        ArnLike: {
          "kms:EncryptionContext:aws:logs:arn": deployment.arn("logs", `log-group:/*/${deployment.name("*")}`),
        },
      },
    },
  ]);
}

const ADMINISTRATION = [
  "CancelKeyDeletion",
  "CreateAlias",
  "CreateGrant",
  "Decrypt",
  "DeleteAlias",
  "DescribeKey",
  "DisableKey",
  "EnableKey",
  "EnableKeyRotation",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GetKeyPolicy",
  "GetKeyRotationStatus",
  "ListGrants",
  "ListKeyPolicies",
  "ListResourceTags",
  "PutKeyPolicy",
  "ReEncryptFrom",
  "ReEncryptTo",
  "RetireGrant",
  "RevokeGrant",
  "ScheduleKeyDeletion",
  "TagResource",
  "UntagResource",
  "UpdateAlias",
  "UpdateKeyDescription",
].map((action) => `kms:${action}`);
