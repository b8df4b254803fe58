import assert from "node:assert/strict";
import { test } from "node:test";
import { AlertTopic } from "../components/AlertTopic.ts";
import { DurableQueue } from "../components/DurableQueue.ts";
import { Deployment } from "../deployment.ts";
import type { TopicSpec } from "../inputs.ts";
import { finder } from "../surroundings.ts";
import { someEncryption, someQueue, STACK } from "./builders.ts";
import { only, record, statements, type PolicyStatement } from "./record.ts";

function aQueue(args: Partial<ConstructorParameters<typeof DurableQueue>[1]> = {}): DurableQueue {
  const spec = args.spec ?? someQueue();
  return new DurableQueue(spec.name, {
    deployment: new Deployment(STACK),
    encryption: someEncryption(),
    protect: false,
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
  outside_subscribers: true,
  subscriptions: [{ queue: "dedup-rule_matched", filter: { attribute: "type", any_of: ["mantissa.alert_opened.v1"] } }],
};

function aTopic(spec = ALERTS, outsideSubscribers: string[] = []): AlertTopic {
  return new AlertTopic(spec.name, {
    deployment: new Deployment(STACK),
    encryption: someEncryption(),
    spec,
    outsideSubscribers,
  });
}

async function letInBy(program: () => unknown, type: string, name?: string): Promise<unknown[]> {
  const { resources } = await record(STACK, program);
  const policy = only(resources, type, name);
  return statements(policy.inputs["policy"]).filter(({ Effect }) => Effect === "Allow");
}

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

test("only a bucket that is named may send, and it must be of this account", async () => {
  const arn = "arn:aws:s3:::raw";
  const program = () => aQueue({ senders: [{ service: "s3.amazonaws.com", arn }] });
  assert.deepEqual(await letInBy(program, "aws:sqs/queuePolicy:QueuePolicy", "dedup-rule_matched"), [
    {
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: "arn:aws:sqs:eu-central-1:123456789012:mantissa-test-dedup-rule_matched",
      Condition: { ArnEquals: { "aws:SourceArn": arn }, StringEquals: { "aws:SourceAccount": ["123456789012"] } },
    },
  ]);
});

test("a topic may send by its ARN alone, to the queue and to its DLQ", async () => {
  const arn = "arn:aws:sns:eu-central-1:123456789012:mantissa-test-alerts";
  const program = () => aQueue({ senders: [{ service: "sns.amazonaws.com", arn }] });
  for (const name of ["dedup-rule_matched", "dedup-rule_matched-dlq"]) {
    assert.deepEqual(await letInBy(program, "aws:sqs/queuePolicy:QueuePolicy", name), [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: `arn:aws:sqs:eu-central-1:123456789012:mantissa-test-${name}`,
        Condition: { ArnEquals: { "aws:SourceArn": arn } },
      },
    ]);
  }
});

test("a protected DLQ cannot be deleted", async () => {
  for (const protect of [true, false]) {
    const { resources } = await record(STACK, () => aQueue({ protect }));
    assert.equal(only(resources, "aws:sqs/queue:Queue", "dedup-rule_matched-dlq").protect, protect);
  }
});

test("a subscription filters by attribute, delivers what was sent, and leaves in the DLQ what it cannot deliver", async () => {
  const { resources } = await record(STACK, () => {
    aTopic().subscribe(finder("queue", [aQueue()], "the test"));
  });
  const { inputs } = only(resources, "aws:sns/topicSubscription:TopicSubscription");
  assert.equal(inputs["rawMessageDelivery"], true);
  assert.equal(inputs["filterPolicyScope"], "MessageAttributes");
  assert.deepEqual(JSON.parse(inputs["filterPolicy"]), { type: ["mantissa.alert_opened.v1"] });
  assert.match(JSON.parse(inputs["redrivePolicy"]).deadLetterTargetArn, /rule_matched-dlq$/);
});

test("outside accounts may subscribe queues and HTTPS endpoints, and do nothing else", async () => {
  const program = () => aTopic(ALERTS, ["210987654321"]);
  assert.deepEqual(await letInBy(program, "aws:sns/topicPolicy:TopicPolicy"), [
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

test("a topic that nobody was let into, and one that is between our stages, let nobody in", async () => {
  const between = { ...ALERTS, outside_subscribers: false };
  assert.deepEqual(await letInBy(() => aTopic(ALERTS, []), "aws:sns/topicPolicy:TopicPolicy"), []);
  assert.deepEqual(await letInBy(() => aTopic(between, ["210987654321"]), "aws:sns/topicPolicy:TopicPolicy"), []);
});

/** What a service of AWS may do with the key, and on whose behalf. */
async function mayUseTheKey(service: string): Promise<unknown[]> {
  const program = () => someEncryption({ logAccounts: ["345678901234"] });
  const allowed = (await letInBy(program, "aws:kms/key:Key")) as PolicyStatement[];
  return allowed
    .filter(({ Principal }) => typeof Principal === "object" && Principal["Service"] === service)
    .map(({ Action, Condition }) => [Action, Condition]);
}

test("who only carries messages uses the key as AWS documents it, without a condition", async () => {
  for (const service of ["s3.amazonaws.com", "sns.amazonaws.com"]) {
    assert.deepEqual(await mayUseTheKey(service), [[["kms:Decrypt", "kms:GenerateDataKey"], undefined]]);
  }
  assert.deepEqual(await mayUseTheKey("events.amazonaws.com"), [
    [["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], undefined],
  ]);
});

test("who delivers logs uses the key for this account and those that are let in", async () => {
  const accounts = { StringEquals: { "aws:SourceAccount": ["123456789012", "345678901234"] } };
  // CloudTrail looks at a key before it creates a trail with it.
  assert.deepEqual(await mayUseTheKey("cloudtrail.amazonaws.com"), [
    [["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], accounts],
  ]);
  for (const service of ["delivery.logs.amazonaws.com", "guardduty.amazonaws.com"]) {
    assert.deepEqual(await mayUseTheKey(service), [[["kms:Decrypt", "kms:GenerateDataKey"], accounts]]);
  }
});

test("the key has a name, and a protected one cannot be deleted", async () => {
  const { resources } = await record(STACK, () => someEncryption({ protect: true }));
  assert.equal(only(resources, "aws:kms/alias:Alias").inputs["name"], "alias/mantissa-test");
  assert.equal(only(resources, "aws:kms/key:Key").protect, true);
});
