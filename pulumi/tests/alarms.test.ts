import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Alarms } from "../components/Alarms.ts";
import { Api } from "../components/Api.ts";
import { PipelineStage } from "../components/PipelineStage.ts";
import { lake } from "../inputs.ts";
import { someFunction, someSurroundings, STACK } from "./builders.ts";
import { all, only, record, statements, type Recorded } from "./record.ts";

let resources: Recorded[];

before(async () => {
  ({ resources } = await record(STACK, () => {
    const around = someSurroundings({ operatorEmails: ["operations@example.com"], hourlyQueryAlarmGib: 2 });
    const stage = new PipelineStage("api", { spec: someFunction({ name: "api", http: true }), around });
    const api = new Api("api", { around, stage });
    const { queues } = around;
    return new Alarms("alarms", { around, queues, stages: [stage], api, sources: lake.tables });
  }));
});

function alarm(name: string): Recorded["inputs"] {
  return only(resources, "aws:cloudwatch/metricAlarm:MetricAlarm", name).inputs;
}

test("one dead message is enough", () => {
  const { metricName, dimensions, threshold } = alarm("dedup-rule_matched-dlq-depth");
  assert.equal(metricName, "ApproximateNumberOfMessagesVisible");
  assert.deepEqual(dimensions, { QueueName: "mantissa-test-dedup-rule_matched-dlq" });
  assert.equal(threshold, 0);
});

test("a queue that falls behind is told of long before its messages are lost", () => {
  for (const { inputs } of all(resources, "aws:sqs/queue:Queue")) {
    const age = all(resources, "aws:cloudwatch/metricAlarm:MetricAlarm").find(
      (each) =>
        each.inputs["metricName"] === "ApproximateAgeOfOldestMessage" &&
        each.inputs["dimensions"].QueueName === inputs["name"],
    );
    if (age) {
      assert.ok(age.inputs["threshold"] > inputs["visibilityTimeoutSeconds"]);
      assert.ok(age.inputs["threshold"] < inputs["messageRetentionSeconds"] / 4);
    }
  }
});

test("functions that fail or are throttled are told of", () => {
  assert.deepEqual(alarm("api-function-errors")["dimensions"], { FunctionName: "mantissa-test-api" });
  assert.equal(alarm("api-function-throttles")["metricName"], "Throttles");
});

test("a rule that fails is told of, and a source that is late", () => {
  assert.equal(alarm("rule-failures")["metricName"], "mantissa_messages_handled_total");
  assert.equal(alarm("rule-failures")["namespace"], "Mantissa/test");
  assert.deepEqual(alarm("rule-failures")["dimensions"], { queue: "scheduler-rule_failed", result: "ok" });
  for (const { log_source } of lake.tables) {
    assert.deepEqual(alarm(`${log_source}-ingest-lag`)["dimensions"], { source: log_source });
  }
});

test("queries that fail and queries that read too much are told of", () => {
  assert.equal(alarm("query-failures")["dimensions"].QueryState, "FAILED");
  const { metricQueries, threshold } = alarm("query-volume");
  assert.equal(threshold, 2 * 1024 ** 3);
  assert.deepEqual(metricQueries.filter((query: { returnData?: boolean }) => query.returnData).length, 1);
});

test("whoever changes who may reach a bucket is told of", () => {
  const rule = only(resources, "aws:cloudwatch/eventRule:EventRule", "bucket-policy-changes");
  const { eventName, requestParameters } = JSON.parse(rule.inputs["eventPattern"]).detail;
  assert.ok(eventName.includes("PutBucketPolicy"));
  assert.equal(requestParameters.bucketName.length, 4);
});

test("alarms and events reach the operations topic, and it reaches people", () => {
  const policy = only(resources, "aws:sns/topicPolicy:TopicPolicy", "operations");
  const services = statements(policy.inputs["policy"]).flatMap(({ Principal }) =>
    typeof Principal === "object" ? [Principal["Service"]] : [],
  );
  assert.deepEqual(services, ["cloudwatch.amazonaws.com", "events.amazonaws.com"]);
  const subscription = only(resources, "aws:sns/topicSubscription:TopicSubscription");
  assert.equal(subscription.inputs["endpoint"], "operations@example.com");
});

test("the dashboard shows every queue and what it costs", () => {
  const { widgets } = JSON.parse(only(resources, "aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]);
  const titles = widgets.map((widget: { properties: { title: string } }) => widget.properties.title);
  assert.ok(titles.includes("Dead letters"));
  assert.ok(titles.includes("Bytes read by queries"));
});
