import type * as cloudwatch from "@pulumi/aws/cloudwatch";
import type { Surroundings } from "../surroundings.ts";
import type { AlarmsArgs } from "./Alarms.ts";
import type { Api } from "./Api.ts";
import type { DurableQueue } from "./DurableQueue.ts";
import type { PipelineStage } from "./PipelineStage.ts";

/** A metric, and when somebody must look: when it is above the threshold for one period, unless it says otherwise. */
export interface Watch extends Omit<
  cloudwatch.MetricAlarmArgs,
  "name" | "comparisonOperator" | "evaluationPeriods" | "alarmDescription"
> {
  name: string;
  alarmDescription: string;
  evaluationPeriods?: number;
  comparisonOperator?: "GreaterThanThreshold" | "LessThanThreshold";
}

/** Dimensions of the metric that counts the failures of rules. */
export const RULE_FAILED = { queue: "scheduler-rule_failed", result: "ok" };

/** Everything that is watched by a metric. */
export function watches({ around, queues, stages, api, sources }: AlarmsArgs): Watch[] {
  return [
    ...queues.flatMap(queueWatches),
    ...stages.flatMap(functionWatches),
    ...stages.flatMap(scheduleWatches),
    ruleWatch(around),
    ...sources.map((source) => sourceWatch(source.log_source, around)),
    ...queryWatches(around),
    apiWatch(api),
  ];
}

const DAY_S = 24 * 60 * 60;

function queueWatches({ spec, queue, dlq }: DurableQueue): Watch[] {
  const deadLetters = {
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: dlq.name },
    statistic: "Maximum",
    threshold: 0,
  };
  return [
    {
      name: `${spec.name}-dlq-depth`,
      alarmDescription: `Messages of ${spec.name} could not be handled. Look at the DLQ, remove the cause, replay`,
      ...deadLetters,
      period: 60,
    },
    {
      // Not by the age of the oldest: SQS leaves out of it what was received three times, and the watch over DLQs looks
      // every minute. Days are left to act: a message's life counts from when it was first sent, not from when it died.
      name: `${spec.name}-dlq-age`,
      alarmDescription: `The DLQ of ${spec.name} has had messages every day for a week. SQS will delete them: replay them`,
      ...deadLetters,
      period: DAY_S,
      evaluationPeriods: 7,
    },
    {
      name: `${spec.name}-age`,
      alarmDescription: `Messages of ${spec.name} wait too long. Is its function throttled, failing, or slow?`,
      namespace: "AWS/SQS",
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queue.name },
      statistic: "Maximum",
      period: 300,
      // Several tries fit in, and days are left until a message would be lost.
      threshold: queue.visibilityTimeoutSeconds.apply((visibility) => Math.max(15 * 60, 4 * (visibility ?? 0))),
    },
  ];
}

function ofFunction({ function: { name } }: PipelineStage) {
  return { namespace: "AWS/Lambda", dimensions: { FunctionName: name }, statistic: "Sum" };
}

function functionWatches(stage: PipelineStage): Watch[] {
  const { name } = stage.spec;
  return [
    {
      name: `${name}-function-errors`,
      alarmDescription: `Function ${name} fails; its log says why`,
      ...ofFunction(stage),
      metricName: "Errors",
      period: 300,
      threshold: 0,
    },
    {
      name: `${name}-function-throttles`,
      alarmDescription: `Function ${name} is throttled; ask for more concurrency in this account`,
      ...ofFunction(stage),
      metricName: "Throttles",
      period: 300,
      threshold: 0,
      evaluationPeriods: 3,
    },
  ];
}

/** Whoever does not run has no errors either. */
function scheduleWatches(stage: PipelineStage): Watch[] {
  const { name, schedule } = stage.spec;
  const dropped: Watch = {
    name: `${name}-dropped`,
    alarmDescription: `A tick of function ${name} came to nothing: it failed, or was throttled until the next was due`,
    ...ofFunction(stage),
    metricName: "AsyncEventsDropped",
    period: 300,
    threshold: 0,
  };
  const heartbeat: Watch = {
    name: `${name}-heartbeat`,
    alarmDescription: `Function ${name} has not run for ten minutes, and should every minute. Is its schedule enabled?`,
    ...ofFunction(stage),
    metricName: "Invocations",
    period: 600,
    comparisonOperator: "LessThanThreshold",
    threshold: 1,
    treatMissingData: "breaching",
  };
  return schedule ? [dropped, ...(schedule.rate_minutes === 1 ? [heartbeat] : [])] : [];
}

function ruleWatch({ deployment }: Surroundings): Watch {
  return {
    name: "rule-failures",
    alarmDescription: "Rules fail, so what they look for goes unseen. The rules' page says which and why",
    namespace: deployment.metricNamespace,
    // What the scheduler was told of: a failure that was handled, as a failure.
    metricName: "mantissa_messages_handled_total",
    dimensions: RULE_FAILED,
    statistic: "Sum",
    period: 300,
    threshold: 0,
  };
}

function sourceWatch(source: string, { deployment, settings }: Surroundings): Watch {
  const minutes = settings.ingestLagAlarmMinutes;
  return {
    name: `${source}-ingest-lag`,
    alarmDescription: `Objects of ${source} take more than ${minutes} minutes from S3 into the lake; how late they came to S3 is not counted`,
    namespace: deployment.metricNamespace,
    metricName: "mantissa_ingest_lag_seconds",
    dimensions: { source },
    statistic: "Maximum",
    period: 300,
    threshold: minutes * 60,
    evaluationPeriods: 2,
  };
}

function queryWatches({ settings, lake }: Surroundings): Watch[] {
  const queries = (state: string) => ({ WorkGroup: lake.workgroup.name, QueryType: "DML", QueryState: state });
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
  return [
    {
      name: "query-failures",
      alarmDescription: "Athena refuses or fails queries of our workgroup",
      namespace: "AWS/Athena",
      metricName: "TotalExecutionTime",
      dimensions: queries("FAILED"),
      statistic: "SampleCount",
      period: 300,
      threshold: 0,
      evaluationPeriods: 2,
    },
    {
      name: "query-volume",
      alarmDescription: `Queries read more than ${settings.hourlyQueryAlarmGib} GiB in an hour, which costs money`,
      // What was stopped half-way is paid for as well.
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
    },
  ];
}

function apiWatch({ id }: Api): Watch {
  return {
    name: "api-errors",
    alarmDescription: "The API answers with errors of its own",
    namespace: "AWS/ApiGateway",
    metricName: "5xx",
    dimensions: { ApiId: id },
    statistic: "Sum",
    period: 300,
    threshold: 0,
    evaluationPeriods: 2,
  };
}
