import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Alarms } from "../components/Alarms.ts";
import { Api } from "../components/Api.ts";
import { PipelineStage } from "../components/PipelineStage.ts";
import { WebSite } from "../components/WebSite.ts";
import { lake } from "../inputs.ts";
import { someFunction, someSurroundings, STACK } from "./builders.ts";
import { all, only, record, statements, type Recorded } from "./record.ts";

let resources: Recorded[];

before(async () => {
  ({ resources } = await record(STACK, () => {
    const around = someSurroundings({ operatorEmails: ["operations@example.com"], hourlyQueryAlarmGib: 2 });
    const stage = new PipelineStage("api", { spec: someFunction({ name: "api", http: true }), around });
    const scheduled = [1, 60].map(
      (rate_minutes) =>
        new PipelineStage(`every-${rate_minutes}`, {
          spec: someFunction({ name: `every-${rate_minutes}`, schedule: { rate_minutes, input: {} } }),
          around,
        }),
    );
    const api = new Api("api", { around, stage });
    const { deployment, queues, settings } = around;
    const web = new WebSite("web", { deployment, folder: settings.webFolder, apiUrl: api.url });
    return new Alarms("alarms", { around, queues, stages: [stage, ...scheduled], api, web, sources: lake.tables });
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

test("dead messages that nobody looks at are told of again while there is time", () => {
  const { metricName, dimensions, threshold, period, evaluationPeriods, alarmDescription } =
    alarm("dedup-rule_matched-dlq-age");
  assert.equal(metricName, "ApproximateNumberOfMessagesVisible");
  assert.deepEqual(dimensions, { QueueName: "mantissa-test-dedup-rule_matched-dlq" });
  assert.equal(threshold, 0);
  assert.match(alarmDescription, /SQS will delete them/);
  const [queue, dlq] = ["dedup-rule_matched", "dedup-rule_matched-dlq"].map(
    (name) => only(resources, "aws:sqs/queue:Queue", name).inputs["messageRetentionSeconds"],
  );
  // Whatever a message has waited in the queue before is taken from its days in the DLQ.
  assert.ok(period * evaluationPeriods < dlq - queue);
  // CloudWatch looks back no further.
  assert.ok(period * evaluationPeriods <= 604_800);
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

test("a function that should run every minute and does not is told of, though nothing is counted", () => {
  const { comparisonOperator, treatMissingData, ...heartbeat } = alarm("every-1-heartbeat");
  assert.deepEqual([comparisonOperator, heartbeat["threshold"]], ["LessThanThreshold", 1]);
  assert.equal(treatMissingData, "breaching");
  assert.deepEqual([heartbeat["metricName"], heartbeat["statistic"]], ["Invocations", "Sum"]);
  assert.equal(heartbeat["period"] * heartbeat["evaluationPeriods"], 600);
  assert.deepEqual(heartbeat["dimensions"], { FunctionName: "mantissa-test-every-1" });
  const others = all(resources, "aws:cloudwatch/metricAlarm:MetricAlarm").filter(({ name }) =>
    /-heartbeat$/.test(name),
  );
  assert.equal(others.length, 1);
});

test("ticks that came to nothing are told of, of functions that have a schedule", () => {
  assert.equal(alarm("every-1-dropped")["metricName"], "AsyncEventsDropped");
  assert.equal(alarm("every-60-dropped")["treatMissingData"], "notBreaching");
  assert.throws(() => alarm("api-dropped"));
});

test("a rule that fails is told of, and a source that is late", () => {
  assert.equal(alarm("rule-failures")["metricName"], "mantissa_messages_handled_total");
  assert.equal(alarm("rule-failures")["namespace"], "Mantissa/test");
  assert.deepEqual(alarm("rule-failures")["dimensions"], { queue: "scheduler-rule_failed", result: "ok" });
  for (const { log_source } of lake.tables) {
    assert.deepEqual(alarm(`${log_source}-ingest-lag`)["dimensions"], { source: log_source });
    assert.match(alarm(`${log_source}-ingest-lag`)["alarmDescription"], /30 minutes from S3 into the lake/);
  }
});

test("queries that fail and queries that read too much are told of", () => {
  assert.equal(alarm("query-failures")["dimensions"].QueryState, "FAILED");
  const { metricQueries, threshold } = alarm("query-volume");
  assert.equal(threshold, 2 * 1024 ** 3);
  assert.deepEqual(metricQueries.filter((query: { returnData?: boolean }) => query.returnData).length, 1);
});

test("whoever changes who may reach a bucket, or what is kept in it, is told of", () => {
  const rule = only(resources, "aws:cloudwatch/eventRule:EventRule", "bucket-policy-changes");
  const { eventName, requestParameters } = JSON.parse(rule.inputs["eventPattern"]).detail;
  for (const change of ["Policy", "PublicAccessBlock", "Lifecycle", "Notification", "Versioning"]) {
    assert.ok(eventName.includes(`PutBucket${change}`), change);
  }
  assert.ok(eventName.includes("DeleteBucketLifecycle"));
  const buckets = all(resources, "aws:s3/bucket:Bucket").map(({ inputs }) => inputs["bucket"]);
  assert.ok(buckets.includes("mantissa-test-web-123456789012"));
  assert.deepEqual(requestParameters.bucketName.sort(), buckets.sort());
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
