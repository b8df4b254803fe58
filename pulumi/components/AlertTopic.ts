import * as pulumi from "@pulumi/pulumi";
import * as sns from "@pulumi/aws/sns";
import type { Deployment } from "../deployment.ts";
import type { TopicSpec } from "../inputs.ts";
import { onlyTls, policyDocument, type Statement } from "../policies.ts";
import type { DurableQueue, Sender } from "./DurableQueue.ts";
import type { Encryption } from "./Encryption.ts";

export interface AlertTopicArgs {
  deployment: Deployment;
  encryption: Encryption;
  spec: TopicSpec;
  /** Accounts that may subscribe queues and HTTPS endpoints of theirs, where the topic is for others too. */
  outsideSubscribers: string[];
}

/** A topic of the pipeline: our own queues subscribe with filters, and outside accounts may where it is for them. */
export class AlertTopic extends pulumi.ComponentResource {
  readonly spec: TopicSpec;
  readonly arn: pulumi.Output<string>;

  constructor(
    private readonly logicalName: string,
    args: AlertTopicArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("mantissa:aws:AlertTopic", logicalName, {}, opts);
    const { deployment, encryption, spec } = args;
    this.spec = spec;
    const topic = new sns.Topic(
      logicalName,
      { name: deployment.name(spec.name), kmsMasterKeyId: encryption.keyArn, tags: deployment.tags("AlertTopic") },
      { parent: this },
    );
    this.arn = topic.arn;
    const letIn = spec.outside_subscribers ? args.outsideSubscribers : [];
    new sns.TopicPolicy(
      logicalName,
      {
        arn: topic.arn,
        policy: policyDocument([
          onlyTls("sns", [topic.arn]),
          ...(letIn.length > 0 ? [maySubscribe(topic.arn, letIn)] : []),
        ]),
      },
      { parent: this },
    );
    this.registerOutputs({ arn: this.arn });
  }

  /** As what this topic writes to a queue that subscribes to it. */
  senderTo(queue: string): Sender[] {
    const subscribes = this.spec.subscriptions.some((subscription) => subscription.queue === queue);
    return subscribes ? [{ service: "sns.amazonaws.com", arn: this.arn }] : [];
  }

  /** Subscribes our own queues. */
  subscribe(queue: (name: string) => DurableQueue): void {
    for (const subscription of this.spec.subscriptions) {
      const { queue: main, dlq, policy } = queue(subscription.queue);
      new sns.TopicSubscription(
        `${this.logicalName}-${subscription.queue}`,
        {
          topic: this.arn,
          protocol: "sqs",
          endpoint: main.arn,
          rawMessageDelivery: true,
          ...(subscription.filter
            ? {
                filterPolicyScope: "MessageAttributes",
                filterPolicy: JSON.stringify({ [subscription.filter.attribute]: subscription.filter.any_of }),
              }
            : {}),
          redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: dlq.arn }),
        },
        { parent: this, dependsOn: policy },
      );
    }
  }
}

function maySubscribe(topicArn: pulumi.Output<string>, accounts: string[]): Statement {
  return {
    Sid: "OutsideSubscribers",
    Principal: { AWS: accounts.map((account) => `arn:aws:iam::${account}:root`) },
    Action: "sns:Subscribe",
    Resource: topicArn,
    // No e-mail addresses and telephones: alerts go to systems that somebody answers for.
    Condition: { StringEquals: { "sns:Protocol": ["sqs", "https"] } },
  };
}
