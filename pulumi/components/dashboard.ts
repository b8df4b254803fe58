import * as pulumi from "@pulumi/pulumi";
import type { AlarmsArgs } from "./Alarms.ts";
import { RULE_FAILED } from "./watches.ts";

type Metric = (pulumi.Input<string> | Record<string, unknown>)[];

/** What a person looks at first: is anything waiting, failing or costing. */
export function dashboardBody(args: AlarmsArgs): pulumi.Output<string> {
  const { around, queues, stages, sources } = args;
  const workgroup = around.lake.workgroup.name;
  const own = around.deployment.metricNamespace;
  const queueMetric = (metric: string, name: pulumi.Output<string>): Metric => ["AWS/SQS", metric, "QueueName", name];
  const functionMetric = (metric: string): Metric[] =>
    stages.map((stage) => ["AWS/Lambda", metric, "FunctionName", stage.function.name]);
  const graphs: [string, string, Metric[]][] = [
    [
      "Waiting messages",
      "Maximum",
      queues.map(({ queue }) => queueMetric("ApproximateNumberOfMessagesVisible", queue.name)),
    ],
    [
      "Oldest message, seconds",
      "Maximum",
      queues.map(({ queue }) => queueMetric("ApproximateAgeOfOldestMessage", queue.name)),
    ],
    ["Dead letters", "Maximum", queues.map(({ dlq }) => queueMetric("ApproximateNumberOfMessagesVisible", dlq.name))],
    ["Function errors", "Sum", functionMetric("Errors")],
    ["Function duration, ms", "p99", functionMetric("Duration")],
    ["Function throttles", "Sum", functionMetric("Throttles")],
    [
      "Ingest lag, seconds",
      "Maximum",
      sources.map((table) => [own, "mantissa_ingest_lag_seconds", "source", table.log_source]),
    ],
    ["Rule failures", "Sum", [[own, "mantissa_messages_handled_total", ...Object.entries(RULE_FAILED).flat()]]],
    [
      "Bytes read by queries",
      "Sum",
      ["SUCCEEDED", "CANCELLED", "CANCELED", "FAILED"].map((state) => [
        "AWS/Athena",
        "ProcessedBytes",
        "QueryState",
        state,
        "QueryType",
        "DML",
        "WorkGroup",
        workgroup,
      ]),
    ],
  ];
  return pulumi.jsonStringify({
    widgets: graphs.map(([title, stat, metrics], at) => ({
      type: "metric",
      x: (at % 3) * 8,
      y: Math.floor(at / 3) * 6,
      width: 8,
      height: 6,
      properties: { title, stat, metrics, period: 300, view: "timeSeries", region: around.deployment.region },
    })),
  });
}
