import * as pulumi from "@pulumi/pulumi";
import * as kms from "@pulumi/aws/kms";
import type { Deployment } from "../deployment.ts";
import { LOG_SERVICES, onBehalfOf, policyDocument, type Statement } from "../policies.ts";

export interface EncryptionArgs {
  deployment: Deployment;
  protect: boolean;
  /** Accounts whose services deliver logs, beside this one. */
  logAccounts: string[];
}

/** The one customer key: queues, topics, tables, buckets, logs and the functions' environments are encrypted with it. */
export class Encryption extends pulumi.ComponentResource {
  readonly keyArn: pulumi.Output<string>;

  constructor(name: string, args: EncryptionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:Encryption", name, {}, opts);
    const { deployment, protect } = args;
    const key = new kms.Key(
      name,
      {
        description: `Mantissa Log, stack ${deployment.stack}`,
        enableKeyRotation: true,
        policy: keyPolicy(args),
        tags: deployment.tags("Encryption"),
      },
      { parent: this, protect },
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

/** They ask which key it is before they use it. */
const DESCRIBING = new Set(["cloudtrail.amazonaws.com", "events.amazonaws.com"]);

function keyPolicy({ deployment, logAccounts }: EncryptionArgs): pulumi.Output<string> {
  const mayUse = (sid: string, service: string, condition?: Statement["Condition"]): Statement => ({
    Sid: sid,
    Principal: { Service: service },
    Action: ["kms:Decrypt", "kms:GenerateDataKey", ...(DESCRIBING.has(service) ? ["kms:DescribeKey"] : [])],
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
    // As AWS documents them, without a condition: whoever sends no source account would lose messages, in silence. The
    // policies of queues and topics name the topic, the bucket and the rules that may send.
    mayUse("TopicsToQueues", "sns.amazonaws.com"),
    mayUse("BucketsToQueues", "s3.amazonaws.com"),
    mayUse("EventsToQueues", "events.amazonaws.com"),
    ...LOG_SERVICES.map((service, at) =>
      mayUse(`LogsToBucket${at}`, service, onBehalfOf([deployment.accountId, ...logAccounts])),
    ),
    mayUse("AlarmsToTopic", "cloudwatch.amazonaws.com", onBehalfOf([deployment.accountId])),
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
