import * as pulumi from "@pulumi/pulumi";
import * as sqs from "@pulumi/aws/sqs";
import type { Deployment } from "../deployment.ts";
import type { QueueSpec } from "../inputs.ts";
import { onBehalfOf, onlyTls, policyDocument, type Statement } from "../policies.ts";
import type { Encryption } from "./Encryption.ts";

/** A part of AWS that writes to a queue by itself: a topic, a bucket, a rule. */
export interface Sender {
  service: "sns.amazonaws.com" | "s3.amazonaws.com" | "events.amazonaws.com";
  arn: pulumi.Input<string>;
}

export interface DurableQueueArgs {
  deployment: Deployment;
  encryption: Encryption;
  /** The DLQ, whose messages somebody has yet to look at, cannot be deleted. */
  protect: boolean;
  spec: QueueSpec;
  /** How long the function that reads it may take for a batch. */
  consumerTimeoutS: number;
  retentionDays: number;
  dlqRetentionDays: number;
  senders: Sender[];
}

/** A queue and the DLQ its messages end in when they are received too often. */
export class DurableQueue extends pulumi.ComponentResource {
  readonly spec: QueueSpec;
  readonly queue: sqs.Queue;
  readonly dlq: sqs.Queue;
  /** Depend on it before telling a service to send. */
  readonly policy: sqs.QueuePolicy;

  constructor(name: string, args: DurableQueueArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:DurableQueue", name, {}, opts);
    const { deployment, encryption, protect, spec } = args;
    const tags = deployment.tags("DurableQueue");
    const encrypted = { kmsMasterKeyId: encryption.keyArn, kmsDataKeyReusePeriodSeconds: 300 };
    this.spec = spec;

    this.dlq = new sqs.Queue(
      `${name}-dlq`,
      {
        name: deployment.name(`${spec.name}-dlq`),
        messageRetentionSeconds: days(args.dlqRetentionDays),
        ...encrypted,
        tags,
      },
      { parent: this, protect },
    );
    this.queue = new sqs.Queue(
      name,
      {
        name: deployment.name(spec.name),
        // Below six times the function's timeout, a message comes back while its batch is still being worked on.
        visibilityTimeoutSeconds: Math.max(spec.visibility_timeout_s, 6 * args.consumerTimeoutS),
        messageRetentionSeconds: days(args.retentionDays),
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: this.dlq.arn,
          maxReceiveCount: spec.max_receive_count,
        }),
        ...encrypted,
        tags,
      },
      { parent: this },
    );
    new sqs.RedriveAllowPolicy(
      `${name}-dlq`,
      {
        queueUrl: this.dlq.url,
        redriveAllowPolicy: pulumi.jsonStringify({
          redrivePermission: "byQueue",
          sourceQueueArns: [this.queue.arn],
        }),
      },
      { parent: this },
    );
    this.policy = new sqs.QueuePolicy(
      name,
      {
        queueUrl: this.queue.url,
        policy: policyDocument([
          onlyTls("sqs", [this.queue.arn]),
          ...args.senders.map((sender) => maySend(deployment, this.queue.arn, sender)),
        ]),
      },
      { parent: this },
    );
    new sqs.QueuePolicy(
      `${name}-dlq`,
      {
        queueUrl: this.dlq.url,
        policy: policyDocument([
          onlyTls("sqs", [this.dlq.arn]),
          // A topic or a rule that cannot reach the queue leaves its message here; a bucket tries until it can.
          ...args.senders
            .filter((sender) => sender.service !== "s3.amazonaws.com")
            .map((sender) => maySend(deployment, this.dlq.arn, sender)),
        ]),
      },
      { parent: this },
    );
    this.registerOutputs({ arn: this.queue.arn, dlqArn: this.dlq.arn });
  }
}

function maySend(deployment: Deployment, queueArn: pulumi.Output<string>, sender: Sender): Statement {
  return {
    Principal: { Service: sender.service },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: {
      ArnEquals: { "aws:SourceArn": sender.arn },
      // A bucket's ARN does not say whose it is. The others' do, and AWS documents just the ARN for them.
      ...(sender.service === "s3.amazonaws.com" ? onBehalfOf([deployment.accountId]) : {}),
    },
  };
}

function days(count: number): number {
  return count * 24 * 60 * 60;
}
