import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { MailIdentity } from "../components/MailIdentity.ts";
import { Deployment } from "../deployment.ts";
import { functions } from "../inputs.ts";
import { readSettings } from "../settings.ts";
import { STACK } from "./builders.ts";
import { deployed, deployedWithOutputs } from "./program.ts";
import { all, only, record, statements, value, type Recorded } from "./record.ts";

const EXAMPLE = "arn:aws:ses:eu-central-1:123456789012:identity/example.com";

/** Whatever any role may do in SES, by its function's name. */
function mayDoInSes(resources: Recorded[]): Record<string, unknown> {
  const granted = all(resources, "aws:iam/rolePolicy:RolePolicy").flatMap(({ name, inputs }) =>
    statements(inputs["policy"])
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith("ses:")))
      .map(({ Sid, Action, Resource }) => [name, { Sid, Action, Resource }]),
  );
  return Object.fromEntries(granted);
}

async function recordsOf(identity: string, region: string): Promise<unknown> {
  const { result } = await record(STACK, () => {
    const deployment = Object.assign(new Deployment(STACK), { region: pulumi.output(region) });
    return new MailIdentity("mail", { deployment, identity }).dkimRecords;
  });
  return value(result);
}

async function read(mailIdentity: string | undefined): Promise<string | undefined> {
  pulumi.runtime.setAllConfig(mailIdentity === undefined ? {} : { "mantissa:mailIdentity": mailIdentity });
  const { result } = await record(STACK, readSettings);
  return result.mailIdentity;
}

test("who sends mails may send them from our identity, and may do nothing else in SES", async () => {
  const { resources, outputs } = await deployedWithOutputs("dev", { "mantissa:mailIdentity": "example.com" });
  const { inputs } = only(resources, "aws:sesv2/emailIdentity:EmailIdentity");
  assert.deepEqual(inputs, {
    emailIdentity: "example.com",
    tags: { project: "mantissa", stack: "dev", component: "MailIdentity" },
  });
  const senders = functions.filter(({ mail }) => mail).map(({ name }) => name);
  const send = { Sid: "SendMail", Action: ["ses:SendEmail"], Resource: [EXAMPLE] };
  assert.ok(senders.includes("notifiers-email"));
  assert.deepEqual(mayDoInSes(resources), Object.fromEntries(senders.map((name) => [name, send])));

  const records = await value(pulumi.output(outputs["mailDkimRecords"]));
  assert.deepEqual(
    records,
    ["first", "second", "third"].map((token) => ({
      name: `${token}._domainkey.example.com`,
      type: "CNAME",
      value: `${token}.dkim.amazonses.com`,
    })),
  );
});

test("without an identity nobody may send mails, and there is nothing to publish", async () => {
  const { resources, outputs } = await deployedWithOutputs("dev");
  assert.deepEqual(all(resources, "aws:sesv2/emailIdentity:EmailIdentity"), []);
  assert.deepEqual(mayDoInSes(resources), {});
  assert.deepEqual(outputs["mailDkimRecords"], []);
});

test("an address has no records to publish", async () => {
  assert.deepEqual(await recordsOf("alerts@example.com", "eu-central-1"), []);
});

test("records point to the region's own zone, where SES has one", async () => {
  assert.deepEqual(((await recordsOf("example.com", "eu-south-1")) as unknown[])[0], {
    name: "first._domainkey.example.com",
    type: "CNAME",
    value: "first.dkim.eu-south-1.amazonses.com",
  });
});

test("mails are from a domain or an address, and what is neither is refused with an example", async () => {
  for (const identity of [undefined, "example.com", "mail.example.co.uk", "alerts+soc@example.com"]) {
    assert.equal(await read(identity), identity);
  }
  const malformed = ["", "example", "alerts@", "@example.com", "a@b@example.com", "Log <alerts@example.com>"];
  for (const identity of [...malformed, "https://example.com", "example.com."]) {
    await assert.rejects(read(identity), (error: Error) => {
      assert.match(error.message, /^mantissa:mailIdentity is `.*`; write a domain, example\.com, or one address/);
      return error.message.includes(`\`${identity}\``);
    });
  }
  await assert.rejects(deployed("dev", { "mantissa:mailIdentity": "example" }), /mantissa:mailIdentity/);
});
