import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as sns from "@pulumi/aws/sns";
import type { LakeSpec } from "../inputs.ts";
import { onlyTls, policyDocument } from "../policies.ts";
import type { Surroundings } from "../surroundings.ts";
import type { Api } from "./Api.ts";
import { dashboardBody } from "./dashboard.ts";
import type { DurableQueue } from "./DurableQueue.ts";
import type { PipelineStage } from "./PipelineStage.ts";

export interface AlarmsArgs {
  around: Surroundings;
  queues: DurableQueue[];
  stages: PipelineStage[];
  api: Api;
  sources: LakeSpec["tables"];
}

type AlarmOf = Omit<cloudwatch.MetricAlarmArgs, "name" | "comparisonOperator" | "evaluationPeriods"> & {
  evaluationPeriods?: number;
};

/** Dimensions of the metric that counts the failures of rules. */
export const RULE_FAILED = { queue: "scheduler-rule_failed", result: "ok" };

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
    args.queues.forEach((queue) => this.watchQueue(queue));
    args.stages.forEach((stage) => this.watchFunction(stage));
    this.watchRules();
    this.watchSources();
    this.watchQueries();
    this.watchBucketPolicies();
    this.watchApi();

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
            Condition: { StringEquals: { "aws:SourceAccount": deployment.accountId } },
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

  /** Goes off when a metric is above a threshold; no data is no trouble. */
  private alarm(name: string, alarm: AlarmOf): void {
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
        ...alarm,
      },
      { parent: this },
    );
  }

  private watchQueue({ spec, queue, dlq }: DurableQueue): void {
    this.alarm(`${spec.name}-dlq-depth`, {
      alarmDescription: `Messages of ${spec.name} could not be handled. Look at the DLQ, remove the cause, replay`,
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: dlq.name },
      statistic: "Maximum",
      period: 60,
      threshold: 0,
    });
    this.alarm(`${spec.name}-age`, {
      alarmDescription: `Messages of ${spec.name} wait too long. Is its function throttled, failing, or slow?`,
      namespace: "AWS/SQS",
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queue.name },
      statistic: "Maximum",
      period: 300,
      // Several tries fit in, and days are left until a message would be lost.
      threshold: queue.visibilityTimeoutSeconds.apply((visibility) => Math.max(15 * 60, 4 * (visibility ?? 0))),
    });
  }

  private watchFunction({ spec, function: { name } }: PipelineStage): void {
    const metric = { namespace: "AWS/Lambda", dimensions: { FunctionName: name }, statistic: "Sum", period: 300 };
    this.alarm(`${spec.name}-function-errors`, {
      alarmDescription: `Function ${spec.name} fails; its log says why`,
      ...metric,
      metricName: "Errors",
      threshold: 0,
    });
    this.alarm(`${spec.name}-function-throttles`, {
      alarmDescription: `Function ${spec.name} is throttled; ask for more concurrency in this account`,
      ...metric,
      metricName: "Throttles",
      threshold: 0,
      evaluationPeriods: 3,
    });
  }

  private watchRules(): void {
    this.alarm("rule-failures", {
      alarmDescription: "Rules fail, so what they look for goes unseen. The rules' page says which and why",
      namespace: this.args.around.deployment.metricNamespace,
      // What the scheduler was told of: a failure that was handled, as a failure.
      metricName: "mantissa_messages_handled_total",
      dimensions: RULE_FAILED,
      statistic: "Sum",
      period: 300,
      threshold: 0,
    });
  }

  private watchSources(): void {
    const minutes = this.args.around.settings.ingestLagAlarmMinutes;
    for (const source of this.args.sources) {
      this.alarm(`${source.log_source}-ingest-lag`, {
        alarmDescription: `Logs of ${source.log_source} arrive more than ${minutes} minutes late`,
        namespace: this.args.around.deployment.metricNamespace,
        metricName: "mantissa_ingest_lag_seconds",
        dimensions: { source: source.log_source },
        statistic: "Maximum",
        period: 300,
        threshold: minutes * 60,
        evaluationPeriods: 2,
      });
    }
  }

  private watchQueries(): void {
    const { settings, lake } = this.args.around;
    const queries = (state: string) => ({ WorkGroup: lake.workgroup.name, QueryType: "DML", QueryState: state });
    this.alarm("query-failures", {
      alarmDescription: "Athena refuses or fails queries of our workgroup",
      namespace: "AWS/Athena",
      metricName: "TotalExecutionTime",
      dimensions: queries("FAILED"),
      statistic: "SampleCount",
      period: 300,
      threshold: 0,
      evaluationPeriods: 2,
    });
    // What was stopped half-way is paid for as well.
    const read = (id: string, state: string) => ({
      id,
      metric: {
        namespace: "AWS/Athena",
        metricName: "ProcessedBytes",
        dimensions: queries(state),
        stat: "Sum",
        period: 3600,
      },
    });
    this.alarm("query-volume", {
      alarmDescription: `Queries read more than ${settings.hourlyQueryAlarmGib} GiB in an hour, which costs money`,
      metricQueries: [
        read("succeeded", "SUCCEEDED"),
        // Athena's API and its metrics do not spell it alike.
        read("cancelled", "CANCELLED"),
        read("canceled", "CANCELED"),
        {
          id: "read",
          expression: "FILL(succeeded, 0) + FILL(cancelled, 0) + FILL(canceled, 0)",
          label: "bytes read",
          returnData: true,
        },
      ],
      threshold: settings.hourlyQueryAlarmGib * 1024 ** 3,
    });
  }

  /** Needs a trail with management events in the account: CloudTrail's event history alone sends no events. */
  private watchBucketPolicies(): void {
    const { deployment, lake, configuration } = this.args.around;
    const buckets = [lake.raw, lake.bucket, lake.results, configuration.bucket].map((bucket) => bucket.name);
    const rule = new cloudwatch.EventRule(
      "bucket-policy-changes",
      {
        name: deployment.name("bucket-policy-changes"),
        description: "Somebody changed who may reach our buckets",
        eventPattern: pulumi.jsonStringify({
          source: ["aws.s3"],
          "detail-type": ["AWS API Call via CloudTrail"],
          detail: {
            eventSource: ["s3.amazonaws.com"],
            eventName: [
              "DeleteBucketPolicy",
              "DeleteBucketPublicAccessBlock",
              "DeleteBucketEncryption",
              "PutBucketAcl",
              "PutBucketEncryption",
              "PutBucketLifecycle",
              "PutBucketOwnershipControls",
              "PutBucketPolicy",
              "PutBucketPublicAccessBlock",
              "PutBucketReplication",
            ],
            requestParameters: { bucketName: buckets },
          },
        }),
        tags: deployment.tags("Alarms"),
      },
      { parent: this },
    );
    new cloudwatch.EventTarget("bucket-policy-changes", { rule: rule.name, arn: this.topicArn }, { parent: this });
  }

  private watchApi(): void {
    this.alarm("api-errors", {
      alarmDescription: "The API answers with errors of its own",
      namespace: "AWS/ApiGateway",
      metricName: "5xx",
      dimensions: { ApiId: this.args.api.id },
      statistic: "Sum",
      period: 300,
      threshold: 0,
      evaluationPeriods: 2,
    });
  }
}
