import assert from "node:assert/strict";
import { before, test } from "node:test";
import { unique } from "../inputs.ts";
import { checks } from "./policy_checks.ts";
import { deployed, EVERYTHING } from "./program.ts";
import { all, only, type Recorded } from "./record.ts";

const STACKS = ["dev", "staging", "prod"] as const;
const program = {} as Record<(typeof STACKS)[number], Recorded[]>;

before(async () => {
  for (const stack of STACKS) {
    program[stack] = await deployed(stack, EVERYTHING);
  }
});

for (const stack of STACKS) {
  test(`stack ${stack} keeps every policy`, () => {
    const resources = program[stack];
    assert.ok(resources.length > 250, `${resources.length} resources`);
    for (const [policy, check] of Object.entries(checks)) {
      assert.deepEqual(check(resources), [], policy);
    }
  });
}

test("stacks differ as their files say", () => {
  const { dev, prod } = program;
  const table = (resources: Recorded[]) => only(resources, "aws:dynamodb/table:Table", "state-alerts").inputs;
  assert.equal(table(dev)["deletionProtectionEnabled"], false);
  assert.equal(table(prod)["deletionProtectionEnabled"], true);
  const protectedTypes = (resources: Recorded[]) =>
    unique(resources.filter(({ protect }) => protect).map(({ type }) => type));
  assert.deepEqual(protectedTypes(dev), []);
  for (const type of ["dynamodb/table:Table", "s3/bucket:Bucket", "kms/key:Key", "cognito/userPool:UserPool"]) {
    assert.ok(protectedTypes(prod).includes(`aws:${type}`), type);
  }
  const dlqs = all(prod, "aws:sqs/queue:Queue").filter((queue) => !isMainQueue(queue));
  assert.ok(dlqs.length > 0 && dlqs.every(({ protect }) => protect));
  const architectures = (resources: Recorded[]) =>
    all(resources, "aws:lambda/function:Function")[0]?.inputs["architectures"];
  assert.deepEqual(architectures(dev), ["x86_64"]);
  assert.deepEqual(architectures(prod), ["arm64"]);
});

/** What breaks each check: a program with one resource changed, added or taken away. */
const breaks: Record<keyof typeof checks, ((resources: Recorded[]) => void)[]> = {
  "no bucket is public": [
    change("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", (inputs) => (inputs["blockPublicPolicy"] = false)),
    remove("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"),
    add("aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration", {}),
  ],
  "nobody is let in who is not named": [
    allow("aws:s3/bucketPolicy:BucketPolicy", { Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k" }),
    allow("aws:sns/topicPolicy:TopicPolicy", { Principal: { AWS: "*" }, Action: "sns:Subscribe", Resource: "arn:t" }),
  ],
  "no action is a wildcard": [
    allow("aws:iam/rolePolicy:RolePolicy", { Action: "dynamodb:*", Resource: "arn:aws:dynamodb:r:1:table/t" }),
    allow("aws:iam/rolePolicy:RolePolicy", { Action: ["s3:Get*"], Resource: "arn:aws:s3:::b/k" }),
    allow("aws:sqs/queuePolicy:QueuePolicy", { NotAction: "sqs:DeleteQueue", Resource: "arn:q" }),
  ],
  "no resource is a wildcard, but for names within what is ours": [
    allow("aws:iam/rolePolicy:RolePolicy", { Action: "sqs:SendMessage", Resource: "*" }),
    allow("aws:iam/rolePolicy:RolePolicy", { Action: "s3:GetObject", Resource: ["arn:aws:s3:::*"] }),
    allow("aws:iam/rolePolicy:RolePolicy", { Action: "s3:GetObject", Resource: "arn:aws:s3:::somebody-elses/*" }),
    allow("aws:iam/rolePolicy:RolePolicy", { Action: "sqs:SendMessage", Resource: "arn:aws:sqs:*:1:mantissa-dev-q" }),
    allow("aws:iam/rolePolicy:RolePolicy", { Action: "sqs:SendMessage", NotResource: "arn:aws:sqs:r:1:q" }),
    // Named as ours are, and yet more than one thing, or another's.
    ...[
      "arn:aws:dynamodb:eu-central-1:123456789012:table/mantissa-dev-*",
      "arn:aws:dynamodb:eu-central-1:123456789012:table/mantissa-dev-alerts/index/*",
      "arn:aws:s3:::mantissa-dev-*/*",
      "arn:aws:s3:::mantissa-dev-raw-123456789012/AWSLogs*",
      "arn:aws:s3:::mantissa-dev-raw-999999999999/*",
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mantissa-dev/*",
      "arn:aws:glue:eu-central-1:123456789012:table/*",
      "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/mantissa-dev-*",
    ].map((Resource) => allow("aws:iam/rolePolicy:RolePolicy", { Action: "s3:GetObject", Resource })),
  ],
  "every role is taken on by one service": [
    change("aws:iam/role:Role", (inputs) => {
      inputs["assumeRolePolicy"] = JSON.stringify({
        Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::1:root" }, Action: "sts:AssumeRole" }],
      });
    }),
  ],
  "every function has a role of its own": [
    (resources) => {
      for (const { inputs } of all(resources, "aws:lambda/function:Function")) {
        inputs["role"] = "arn:aws:iam::1:role/shared";
      }
    },
  ],
  "every queue has a DLQ": [
    change("aws:sqs/queue:Queue", (inputs) => delete inputs["redrivePolicy"], isMainQueue),
    change(
      "aws:sqs/queue:Queue",
      (inputs) => (inputs["redrivePolicy"] = '{"deadLetterTargetArn":"arn:x"}'),
      isMainQueue,
    ),
  ],
  "every queue and every DLQ has an alarm that somebody hears": [
    remove("aws:cloudwatch/metricAlarm:MetricAlarm", isDepthAlarm),
    remove("aws:cloudwatch/metricAlarm:MetricAlarm", ({ name }) => name.endsWith("-dlq-age")),
    change("aws:cloudwatch/metricAlarm:MetricAlarm", (inputs) => (inputs["alarmActions"] = []), isDepthAlarm),
    add("aws:sqs/queue:Queue", { name: "mantissa-dev-forgotten" }),
  ],
  "a message outlasts six runs of its function, and a failed one comes back alone": [
    change("aws:sqs/queue:Queue", (inputs) => (inputs["visibilityTimeoutSeconds"] = 30), isMainQueue),
    change("aws:lambda/eventSourceMapping:EventSourceMapping", (inputs) => (inputs["functionResponseTypes"] = [])),
    change("aws:lambda/eventSourceMapping:EventSourceMapping", (inputs) => delete inputs["scalingConfig"]),
  ],
  "everything is encrypted": [
    change("aws:sqs/queue:Queue", (inputs) => delete inputs["kmsMasterKeyId"]),
    change("aws:sns/topic:Topic", (inputs) => delete inputs["kmsMasterKeyId"]),
    change("aws:dynamodb/table:Table", (inputs) => delete inputs["serverSideEncryption"]),
    change("aws:cloudwatch/logGroup:LogGroup", (inputs) => delete inputs["kmsKeyId"]),
    change("aws:lambda/function:Function", (inputs) => delete inputs["kmsKeyArn"]),
    change("aws:secretsmanager/secret:Secret", (inputs) => delete inputs["kmsKeyId"]),
    change("aws:cloudfront/distribution:Distribution", (inputs) => {
      inputs["defaultCacheBehavior"].viewerProtocolPolicy = "allow-all";
    }),
    change("aws:athena/workgroup:Workgroup", (inputs) => {
      inputs["configuration"].enforceWorkgroupConfiguration = false;
    }),
    change("aws:sqs/queue:Queue", (inputs) => (inputs["kmsMasterKeyId"] = "alias/aws/sqs")),
    add("aws:rds/instance:Instance", { storageEncrypted: true }),
    ...[
      { sseAlgorithm: "AES256" },
      { sseAlgorithm: "aws:kms" },
      { sseAlgorithm: "aws:kms", kmsMasterKeyId: "other" },
    ].map((algorithm) =>
      change(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        (inputs) => (inputs["rules"][0].applyServerSideEncryptionByDefault = algorithm),
        ({ name }) => name === "raw",
      ),
    ),
    change(
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      (inputs) => (inputs["rules"] = []),
      ({ name }) => name === "web",
    ),
    remove("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"),
  ],
  "nothing is reached without TLS": [
    remove("aws:s3/bucketPolicy:BucketPolicy"),
    remove("aws:sqs/queuePolicy:QueuePolicy"),
    change("aws:sns/topicPolicy:TopicPolicy", (inputs) => (inputs["policy"] = '{"Statement":[]}')),
  ],
  "everything is tagged": [
    change("aws:sqs/queue:Queue", (inputs) => delete inputs["tags"].component),
    add("aws:ec2/instance:Instance", {}),
  ],
  "what is known can be restored": [
    change("aws:dynamodb/table:Table", (inputs) => (inputs["pointInTimeRecovery"] = { enabled: false })),
  ],
  "nothing is larger than AWS takes": [
    change("aws:iam/rolePolicy:RolePolicy", (inputs) => (inputs["policy"] = inputs["policy"].padEnd(10_241))),
    change("aws:lambda/function:Function", (inputs) => (inputs["environment"].variables.MORE = "x".repeat(4096))),
  ],
  "no secret's value is in the program": [add("aws:secretsmanager/secretVersion:SecretVersion", { secretString: "x" })],
};

test("each policy can be broken", async (t) => {
  for (const [policy, check] of Object.entries(checks)) {
    await t.test(policy, () => {
      const waysToBreak = breaks[policy] ?? [];
      assert.ok(waysToBreak.length > 0, "nothing shows that this check can fail");
      for (const [at, spoil] of waysToBreak.entries()) {
        const bad = structuredClone(
          program.dev.map(({ inputs, ...resource }) => ({ ...resource, inputs: withoutAssets(inputs) })),
        );
        spoil(bad);
        assert.notDeepEqual(check(bad), [], `way ${at} to break it goes unseen`);
      }
    });
  }
});

/** Assets are promises, which cannot be copied, and no policy looks at them. */
function withoutAssets({ code, source, ...inputs }: Recorded["inputs"]): Recorded["inputs"] {
  return inputs;
}

type Spoil = (resources: Recorded[]) => void;

function isMainQueue({ inputs }: Recorded): boolean {
  return !inputs["name"].endsWith("-dlq");
}

function isDepthAlarm({ name }: Recorded): boolean {
  return name.endsWith("-dlq-depth");
}

function change(type: string, how: (inputs: Recorded["inputs"]) => unknown, which = (_: Recorded) => true): Spoil {
  return (resources) => {
    const found = all(resources, type).find(which);
    assert.ok(found, `there is no ${type} to spoil`);
    how(found.inputs);
  };
}

function remove(type: string, which = (_: Recorded) => true): Spoil {
  return (resources) => {
    const at = resources.findIndex((each) => each.type === type && which(each));
    assert.ok(at >= 0, `there is no ${type} to take away`);
    resources.splice(at, 1);
  };
}

function add(type: string, inputs: Recorded["inputs"]): Spoil {
  return (resources) => resources.push({ type, name: "bad", inputs, protect: false });
}

function allow(type: string, statement: Record<string, unknown>): Spoil {
  return change(type, (inputs) => {
    const policy = JSON.parse(inputs["policy"]) as { Statement: unknown[] };
    inputs["policy"] = JSON.stringify({
      ...policy,
      Statement: [...policy.Statement, { Effect: "Allow", ...statement }],
    });
  });
}
