import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { topology } from "../inputs.ts";
import { readSettings, type Settings } from "../settings.ts";
import { STACK } from "./builders.ts";
import { deployed, deployedWithOutputs, EVERYTHING } from "./program.ts";
import { all, KEY, record, statements, value } from "./record.ts";

async function read(config: Record<string, unknown>): Promise<Settings> {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, each]) => [`mantissa:${key}`, text(each)])),
  );
  const { result } = await record(STACK, readSettings);
  return result;
}

const SOMEBODY = { operatorEmails: ["operations@example.com"] };

test("a protected stack without anybody who hears its alarms is refused, with the command that helps", async () => {
  const command = /`pulumi config set --path 'mantissa:operatorEmails\[0\]' you@example\.com`/;
  await assert.rejects(read({ protect: true }), command);
  await assert.rejects(deployed("prod"), command);
  assert.equal((await read({ protect: true, ...SOMEBODY })).protect, true);
  assert.deepEqual((await read({ protect: false })).operatorEmails, []);
});

test("as many run at once as functions ask for, or as many as the stack says, which is a number that Lambda takes", async () => {
  assert.equal((await read({})).maxConcurrency, undefined);
  assert.equal((await read({ maxConcurrency: 2 })).maxConcurrency, 2);
  for (const maxConcurrency of [0, 1, 2.5, -3]) {
    await assert.rejects(read({ maxConcurrency }), /mantissa:maxConcurrency is .*; Lambda takes whole numbers from 2/);
  }
});

test("accounts are twelve digits", async () => {
  for (const setting of ["logAccounts", "outsideSubscribers"] as const) {
    assert.deepEqual((await read({ [setting]: ["012345678901"] }))[setting], ["012345678901"]);
    for (const account of ["12345678901", 12345678901, "arn:aws:iam::123456789012:root", "*"]) {
      await assert.rejects(read({ [setting]: ["012345678901", account] }), new RegExp(`mantissa:${setting} has `));
    }
  }
});

test("a secret is for destinations of one type, which there is", async () => {
  const destinationSecrets = { slack: ["a"], webhook: ["b", "c"] };
  assert.deepEqual((await read({ destinationSecrets })).destinationSecrets, destinationSecrets);
  await assert.rejects(read({ destinationSecrets: { slak: ["a"] } }), /has `slak`; destinations are of type slack, /);
  await assert.rejects(read({ destinationSecrets: { slack: ["a"], webhook: ["a"] } }), /make the secret `a`/);
});

test("what a collector wants to be told is for a collector, and no destination's secret", async () => {
  const otlpEndpoint = "https://otel.example.com";
  assert.equal((await read({ otlpEndpoint, otlpHeadersSecret: "otlp" })).otlpHeadersSecret, "otlp");
  await assert.rejects(read({ otlpHeadersSecret: "otlp" }), /say where it is with mantissa:otlpEndpoint/);
});

test("each setting reaches what it is about", async () => {
  const { resources, outputs } = await deployedWithOutputs("dev", EVERYTHING);
  const caps = all(resources, "aws:lambda/eventSourceMapping:EventSourceMapping").map(
    ({ inputs }) => inputs["scalingConfig"].maximumConcurrency,
  );
  assert.ok(caps.length > 10 && caps.every((cap) => cap === 5));

  const delivering = ["aws:kms/key:Key", "aws:s3/bucketPolicy:BucketPolicy"].map((type) =>
    all(resources, type).flatMap(({ inputs }) =>
      statements(inputs["policy"]).filter(({ Condition }) => JSON.stringify(Condition ?? "").includes("345678901234")),
    ),
  );
  assert.deepEqual(
    delivering.map((found) => found.length),
    [3, 6],
  );

  const functions = all(resources, "aws:lambda/function:Function");
  assert.ok(functions.every(({ inputs }) => inputs["environment"].variables.MANTISSA_OTLP_HEADERS_SECRET));
  const readers = all(resources, "aws:iam/rolePolicy:RolePolicy").filter(({ inputs }) =>
    statements(inputs["policy"]).some(({ Resource }) => [Resource].flat().some((arn) => arn?.includes("otlp_headers"))),
  );
  assert.equal(readers.length, functions.length);
  assert.equal(await value(pulumi.output(outputs["keyArn"])), KEY);
});

test("outside accounts are let into the topics that are for them, and into no other", async () => {
  const resources = await deployed("dev", EVERYTHING);
  const open = all(resources, "aws:sns/topicPolicy:TopicPolicy").filter(({ inputs }) =>
    statements(inputs["policy"]).some(({ Sid }) => Sid === "OutsideSubscribers"),
  );
  const meant = topology.topics.filter(({ outside_subscribers }) => outside_subscribers);
  assert.deepEqual(
    open.map(({ name }) => name),
    meant.map(({ name }) => name),
  );
  assert.ok(!meant.some(({ name }) => name === "notifications"));
});
