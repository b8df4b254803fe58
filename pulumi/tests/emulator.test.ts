import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { connect } from "../emulator/clients.ts";
import { EmulatorMocks, refusal } from "../emulator/mocks.ts";
import { overPlainHttp } from "../emulator/resource_type.ts";
import { zip } from "../emulator/zip.ts";
import { onlyTls, ONLY_TLS } from "../policies.ts";
import { deployed, EVERYTHING } from "./program.ts";

/** Nothing listens there. */
const NOWHERE = "http://127.0.0.1:9";

test("the emulator takes every resource of the program, with every input", async () => {
  const resources = await deployed("dev", EVERYTHING);
  const refused = resources.flatMap(({ type, name, inputs }) => {
    const why = refusal(type, inputs);
    return why ? [`${type} ${name}: ${why}`] : [];
  });
  assert.deepEqual(refused, []);
});

test("a type that nobody has taught the emulator fails the deployment", async () => {
  const mocks = new EmulatorMocks(connect(NOWHERE), { functionEnvironment: {} });
  const unknown = { type: "aws:ec2/instance:Instance", name: "server", inputs: {}, custom: true };
  await assert.rejects(mocks.newResource(unknown));
  assert.match(mocks.failures.join(), /aws:ec2\/instance:Instance `server`: .* does not know this type/);
  assert.deepEqual(mocks.counts, {});
});

test("an input that would be dropped fails the deployment", async () => {
  const mocks = new EmulatorMocks(connect(NOWHERE), { functionEnvironment: {} });
  const inputs = { name: "q", fifoQueue: true };
  await assert.rejects(mocks.newResource({ type: "aws:sqs/queue:Queue", name: "q", inputs, custom: true }));
  assert.match(mocks.failures.join(), /does not pass on fifoQueue/);
});

test("a call that nobody has taught the emulator fails the deployment", async () => {
  const mocks = new EmulatorMocks(connect(NOWHERE), { functionEnvironment: {} });
  await assert.rejects(mocks.call({ token: "aws:ec2/getAmi:getAmi", inputs: {} }));
  assert.match(mocks.failures.join(), /aws:ec2\/getAmi:getAmi/);
});

test("only the refusal of plain HTTP is left out of a policy", () => {
  const other = { Effect: "Deny", Principal: "*", Action: "sqs:DeleteQueue", Resource: "q" };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [onlyTls("sqs", ["q"]), other] });
  assert.ok(policy.includes(ONLY_TLS));
  assert.deepEqual(JSON.parse(overPlainHttp(policy)), { Version: "2012-10-17", Statement: [other] });
});

test("an archive holds its files, whatever their order", () => {
  const files = [
    { name: "rules/b.yml", content: Buffer.from("title: B\n".repeat(100)) },
    { name: "mantissa.toml", content: Buffer.alloc(0) },
  ];
  const archive = zip(files);
  assert.deepEqual(archive, zip(files.toReversed()));
  assert.deepEqual(entries(archive), [
    ["mantissa.toml", ""],
    ["rules/b.yml", "title: B\n".repeat(100)],
  ]);
});

/** Reads an archive from its entries' own headers. */
function entries(archive: Buffer): [string, string][] {
  const found: [string, string][] = [];
  let at = 0;
  while (archive.readUInt32LE(at) === 0x04034b50) {
    const [size, nameLength] = [archive.readUInt32LE(at + 18), archive.readUInt16LE(at + 26)];
    const body = at + 30 + nameLength;
    const content = inflateRawSync(archive.subarray(body, body + size));
    found.push([archive.toString("utf8", at + 30, body), content.toString("utf8")]);
    at = body + size;
  }
  return found;
}
