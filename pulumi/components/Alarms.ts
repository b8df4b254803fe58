import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as sns from "@pulumi/aws/sns";
import type { LakeSpec } from "../inputs.ts";
import { onBehalfOf, onlyTls, policyDocument } from "../policies.ts";
import type { Surroundings } from "../surroundings.ts";
import type { Api } from "./Api.ts";
import { dashboardBody } from "./dashboard.ts";
import type { DurableQueue } from "./DurableQueue.ts";
import type { PipelineStage } from "./PipelineStage.ts";
import { watches, type Watch } from "./watches.ts";
import type { WebSite } from "./WebSite.ts";

export interface AlarmsArgs {
  around: Surroundings;
  queues: DurableQueue[];
  stages: PipelineStage[];
  api: Api;
  web: WebSite;
  sources: LakeSpec["tables"];
}

/** What somebody must look at: each alarm goes to the operations topic, when it goes off and when it is over. */
export class Alarms extends pulumi.ComponentResource {
  readonly topicArn: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string>;

  constructor(
    name: string,
    private readonly args: AlarmsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("mantissa:aws:Alarms", name, {}, opts);
    const { deployment } = args.around;
    this.topicArn = this.operationsTopic();
    watches(args).forEach((watch) => this.alarm(watch));
    this.watchBuckets();

    const dashboard = new cloudwatch.Dashboard(
      name,
      { dashboardName: `mantissa-${deployment.stack}`, dashboardBody: dashboardBody(args) },
      { parent: this },
    );
    this.dashboardUrl = pulumi.interpolate`https://${deployment.region}.console.aws.amazon.com/cloudwatch/home?region=${deployment.region}#dashboards:name=${dashboard.dashboardName}`;
    this.registerOutputs({ topicArn: this.topicArn });
  }

  private operationsTopic(): pulumi.Output<string> {
    const { deployment, encryption, settings } = this.args.around;
    const topic = new sns.Topic(
      "operations",
      { name: deployment.name("operations"), kmsMasterKeyId: encryption.keyArn, tags: deployment.tags("Alarms") },
      { parent: this },
    );
    new sns.TopicPolicy(
      "operations",
      {
        arn: topic.arn,
        policy: policyDocument([
          onlyTls("sns", [topic.arn]),
          {
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: "sns:Publish",
            Resource: topic.arn,
            Condition: onBehalfOf([deployment.accountId]),
          },
          // EventBridge does not publish to a topic whose policy asks for conditions.
          { Principal: { Service: "events.amazonaws.com" }, Action: "sns:Publish", Resource: topic.arn },
        ]),
      },
      { parent: this },
    );
    for (const email of settings.operatorEmails) {
      new sns.TopicSubscription(
        `operations-${email}`,
        { topic: topic.arn, protocol: "email", endpoint: email },
        { parent: this },
      );
    }
    return topic.arn;
  }

  /** No data is no trouble, unless the watch says otherwise. */
  private alarm({ name, ...watch }: Watch): void {
    const { deployment } = this.args.around;
    new cloudwatch.MetricAlarm(
      name,
      {
        name: deployment.name(name),
        comparisonOperator: "GreaterThanThreshold",
        evaluationPeriods: 1,
        treatMissingData: "notBreaching",
        alarmActions: [this.topicArn],
        okActions: [this.topicArn],
        tags: deployment.tags("Alarms"),
        ...watch,
      },
      { parent: this },
    );
  }

  /** Needs a trail with management events in the account: CloudTrail's event history alone sends no events. */
  private watchBuckets(): void {
    const { around, web } = this.args;
    const { deployment, lake, configuration } = around;
    const buckets = [lake.raw, lake.bucket, lake.results, configuration.bucket].map((bucket) => bucket.name);
    const rule = new cloudwatch.EventRule(
      "bucket-policy-changes",
      {
        name: deployment.name("bucket-policy-changes"),
        description: "Somebody changed who may reach our buckets, or what is kept in them",
        eventPattern: pulumi.jsonStringify({
          source: ["aws.s3"],
          "detail-type": ["AWS API Call via CloudTrail"],
          detail: {
            eventSource: ["s3.amazonaws.com"],
            eventName: BUCKET_CHANGES,
            requestParameters: { bucketName: [...buckets, web.bucketName] },
          },
        }),
        tags: deployment.tags("Alarms"),
      },
      { parent: this },
    );
    new cloudwatch.EventTarget("bucket-policy-changes", { rule: rule.name, arn: this.topicArn }, { parent: this });
  }
}

/** As CloudTrail names them, which is not always as the API does. */
const BUCKET_CHANGES = [
  "DeleteBucket",
  "DeleteBucketEncryption",
  "DeleteBucketLifecycle",
  "DeleteBucketOwnershipControls",
  "DeleteBucketPolicy",
  "DeleteBucketPublicAccessBlock",
  "PutBucketAcl",
  "PutBucketEncryption",
  "PutBucketLifecycle",
  "PutBucketNotification",
  "PutBucketOwnershipControls",
  "PutBucketPolicy",
  "PutBucketPublicAccessBlock",
  "PutBucketReplication",
  "PutBucketVersioning",
  "PutBucketWebsite",
];
