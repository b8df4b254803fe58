import assert from "node:assert/strict";
import { test } from "node:test";
import { AlertTopic } from "../components/AlertTopic.ts";
import { DurableQueue } from "../components/DurableQueue.ts";
import { Encryption } from "../components/Encryption.ts";
import { Deployment } from "../deployment.ts";
import type { TopicSpec } from "../inputs.ts";
import { finder } from "../surroundings.ts";
import { someQueue, STACK } from "./builders.ts";
import { all, only, record, statements } from "./record.ts";

function aQueue(args: Partial<ConstructorParameters<typeof DurableQueue>[1]> = {}): DurableQueue {
  const deployment = new Deployment(STACK);
  const encryption = new Encryption("key", { deployment });
  const spec = args.spec ?? someQueue();
  return new DurableQueue(spec.name, {
    deployment,
    encryption,
    spec,
    consumerTimeoutS: 30,
    retentionDays: 4,
    dlqRetentionDays: 14,
    senders: [],
    ...args,
  });
}

const ALERTS: TopicSpec = {
  name: "alerts",
  subscriptions: [{ queue: "dedup-rule_matched", filter: { attribute: "type", any_of: ["mantissa.alert_opened.v1"] } }],
};

test("a queue's dead messages go to its DLQ, and only they", async () => {
  const { resources } = await record(STACK, () => aQueue());
  const queue = only(resources, "aws:sqs/queue:Queue", "dedup-rule_matched");
  assert.deepEqual(JSON.parse(queue.inputs["redrivePolicy"]), {
    deadLetterTargetArn: "arn:aws:sqs:eu-central-1:123456789012:mantissa-test-dedup-rule_matched-dlq",
    maxReceiveCount: 5,
  });
  const { inputs } = only(resources, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy");
  assert.deepEqual(JSON.parse(inputs["redriveAllowPolicy"]), {
    redrivePermission: "byQueue",
    sourceQueueArns: ["arn:aws:sqs:eu-central-1:123456789012:mantissa-test-dedup-rule_matched"],
  });
});

test("a message stays hidden for six times as long as its function may take", async () => {
  const { resources } = await record(STACK, () => aQueue({ consumerTimeoutS: 120 }));
  const queue = only(resources, "aws:sqs/queue:Queue", "dedup-rule_matched");
  assert.equal(queue.inputs["visibilityTimeoutSeconds"], 720);
});

test("a queue that hides messages for longer keeps doing so", async () => {
  const { resources } = await record(STACK, () => aQueue({ spec: someQueue({ visibility_timeout_s: 900 }) }));
  const queue = only(resources, "aws:sqs/queue:Queue", "dedup-rule_matched");
  assert.equal(queue.inputs["visibilityTimeoutSeconds"], 900);
});

test("a DLQ keeps messages for longer than the queue", async () => {
  const { resources } = await record(STACK, () => aQueue());
  const [queue, dlq] = ["dedup-rule_matched", "dedup-rule_matched-dlq"].map((name) =>
    only(resources, "aws:sqs/queue:Queue", name),
  );
  assert.equal(queue?.inputs["messageRetentionSeconds"], 4 * 24 * 3600);
  assert.equal(dlq?.inputs["messageRetentionSeconds"], 14 * 24 * 3600);
});

test("only a sender that is named may send, from this account", async () => {
  const arn = "arn:aws:s3:::raw";
  const { resources } = await record(STACK, () => aQueue({ senders: [{ service: "s3.amazonaws.com", arn }] }));
  const policy = only(resources, "aws:sqs/queuePolicy:QueuePolicy", "dedup-rule_matched");
  const allowed = statements(policy.inputs["policy"]).filter(({ Effect }) => Effect === "Allow");
  assert.deepEqual(allowed, [
    {
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: "arn:aws:sqs:eu-central-1:123456789012:mantissa-test-dedup-rule_matched",
      Condition: { ArnEquals: { "aws:SourceArn": arn }, StringEquals: { "aws:SourceAccount": "123456789012" } },
    },
  ]);
});

test("a subscription filters by attribute, delivers what was sent, and leaves in the DLQ what it cannot deliver", async () => {
  const { resources } = await record(STACK, () => {
    const queue = aQueue();
    const { deployment, encryption } = {
      deployment: new Deployment(STACK),
      encryption: new Encryption("other", { deployment: new Deployment(STACK) }),
    };
    new AlertTopic("alerts", { deployment, encryption, spec: ALERTS, outsideSubscribers: [] }).subscribe(
      finder("queue", [queue], "the test"),
    );
  });
  const { inputs } = only(resources, "aws:sns/topicSubscription:TopicSubscription");
  assert.equal(inputs["rawMessageDelivery"], true);
  assert.equal(inputs["filterPolicyScope"], "MessageAttributes");
  assert.deepEqual(JSON.parse(inputs["filterPolicy"]), { type: ["mantissa.alert_opened.v1"] });
  assert.match(JSON.parse(inputs["redrivePolicy"]).deadLetterTargetArn, /rule_matched-dlq$/);
});

test("outside accounts may subscribe queues and HTTPS endpoints, and do nothing else", async () => {
  const { resources } = await record(STACK, () => {
    const deployment = new Deployment(STACK);
    const encryption = new Encryption("key", { deployment });
    return new AlertTopic("alerts", { deployment, encryption, spec: ALERTS, outsideSubscribers: ["210987654321"] });
  });
  const policy = only(resources, "aws:sns/topicPolicy:TopicPolicy");
  const allowed = statements(policy.inputs["policy"]).filter(({ Effect }) => Effect === "Allow");
  assert.deepEqual(allowed, [
    {
      Sid: "OutsideSubscribers",
      Effect: "Allow",
      Principal: { AWS: ["arn:aws:iam::210987654321:root"] },
      Action: "sns:Subscribe",
      Resource: "arn:aws:sns:eu-central-1:123456789012:mantissa-test-alerts",
      Condition: { StringEquals: { "sns:Protocol": ["sqs", "https"] } },
    },
  ]);
});

test("a topic without outside subscribers lets nobody in", async () => {
  const { resources } = await record(STACK, () => {
    const deployment = new Deployment(STACK);
    const encryption = new Encryption("key", { deployment });
    return new AlertTopic("alerts", { deployment, encryption, spec: ALERTS, outsideSubscribers: [] });
  });
  const policy = only(resources, "aws:sns/topicPolicy:TopicPolicy");
  assert.ok(statements(policy.inputs["policy"]).every(({ Effect }) => Effect === "Deny"));
});

test("services use the key for this account only", async () => {
  const { resources } = await record(STACK, () => new Encryption("key", { deployment: new Deployment(STACK) }));
  const services = statements(only(resources, "aws:kms/key:Key").inputs["policy"]).filter(
    ({ Principal }) => typeof Principal === "object" && "Service" in Principal,
  );
  for (const { Principal, Condition } of services) {
    const unconditional = Condition === undefined;
    // EventBridge calls KMS without a source.
    assert.equal(unconditional, JSON.stringify(Principal).includes("events.amazonaws.com"));
  }
  assert.equal(all(resources, "aws:kms/alias:Alias").length, 1);
});
