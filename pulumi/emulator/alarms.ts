import {
  PutDashboardCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import { tagList, type Inputs, type ResourceType } from "./resource_type.ts";

/** Alarms and the dashboard. */
export const alarms: Record<string, ResourceType> = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    passes: [
      "name",
      "alarmDescription",
      "comparisonOperator",
      "evaluationPeriods",
      "treatMissingData",
      "alarmActions",
      "okActions",
      "tags",
      "namespace",
      "metricName",
      "dimensions",
      "statistic",
      "period",
      "threshold",
      "metricQueries",
    ],
    async create(inputs, { cloudwatch }) {
      const alarm: PutMetricAlarmCommandInput = {
        AlarmName: inputs.name,
        AlarmDescription: inputs.alarmDescription,
        ComparisonOperator: inputs.comparisonOperator,
        EvaluationPeriods: inputs.evaluationPeriods,
        TreatMissingData: inputs.treatMissingData,
        AlarmActions: inputs.alarmActions,
        OKActions: inputs.okActions,
        Threshold: inputs.threshold,
        Tags: tagList(inputs),
      };
      const metric: Partial<PutMetricAlarmCommandInput> = inputs.metricQueries
        ? { Metrics: (inputs.metricQueries as Inputs[]).map(metricQuery) }
        : {
            Namespace: inputs.namespace,
            MetricName: inputs.metricName,
            Dimensions: dimensions(inputs.dimensions),
            Statistic: inputs.statistic,
            Period: inputs.period,
          };
      await cloudwatch.send(new PutMetricAlarmCommand({ ...alarm, ...metric }));
      return { id: inputs.name };
    },
  },
  "aws:cloudwatch/dashboard:Dashboard": {
    passes: ["dashboardName", "dashboardBody"],
    async create(inputs, { cloudwatch }) {
      const answer = await cloudwatch.send(
        new PutDashboardCommand({ DashboardName: inputs.dashboardName, DashboardBody: inputs.dashboardBody }),
      );
      if (answer.DashboardValidationMessages?.length) {
        throw new Error(`the dashboard is wrong: ${JSON.stringify(answer.DashboardValidationMessages)}`);
      }
      return { id: inputs.dashboardName };
    },
  },
};

function dimensions(inputs: Record<string, string> = {}) {
  return Object.entries(inputs).map(([Name, Value]) => ({ Name, Value }));
}

function metricQuery(query: Inputs) {
  return {
    Id: query.id,
    Expression: query.expression,
    Label: query.label,
    ReturnData: query.returnData ?? false,
    ...(query.metric
      ? {
          MetricStat: {
            Metric: {
              Namespace: query.metric.namespace,
              MetricName: query.metric.metricName,
              Dimensions: dimensions(query.metric.dimensions),
            },
            Stat: query.metric.stat,
            Period: query.metric.period,
          },
        }
      : {}),
  };
}
