import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { Configuration } from "../components/Configuration.ts";
import { DataLake, type DataLakeArgs } from "../components/DataLake.ts";
import { PrivateBucket } from "../components/PrivateBucket.ts";
import { StateTables } from "../components/StateTables.ts";
import { Deployment } from "../deployment.ts";
import type { LakeSpec, TableSpec } from "../inputs.ts";
import { LOG_SERVICES } from "../policies.ts";
import { someEncryption, someSettings, someSurroundings, STACK } from "./builders.ts";
import { all, only, record, statements, value } from "./record.ts";

const COLUMN = { name: "eventname", hive_type: "string", trino_type: "varchar", doc: "The call" };
const LAKE: LakeSpec = {
  event_years: [1970, 2099],
  partition_columns: ["year", "month", "day"],
  tables: [{ name: "cloudtrail_logs", log_source: "cloudtrail", doc: "API calls", columns: [COLUMN] }],
  views: [{ name: "calls", doc: "Calls", sql: "SELECT eventname FROM cloudtrail_logs", columns: [COLUMN] }],
};

function aLake(overrides: Partial<DataLakeArgs> = {}): DataLake {
  return new DataLake("lake", {
    deployment: new Deployment(STACK),
    encryption: someEncryption(),
    protect: false,
    logAccounts: [],
    spec: LAKE,
    queryLimitGib: 10,
    ...overrides,
  });
}

test("logs age: infrequent access after 30 days, gone after a year", async () => {
  const { resources } = await record(STACK, () => aLake());
  for (const bucket of ["raw", "lake"]) {
    const lifecycle = only(resources, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket);
    const [rule] = lifecycle.inputs["rules"];
    assert.deepEqual(rule.transitions, [{ days: 30, storageClass: "STANDARD_IA" }]);
    assert.deepEqual(rule.expiration, { days: 365 });
  }
});

test("what was overwritten or deleted is kept for a while, in the lake only as long as a mistake takes to be seen", async () => {
  const { resources } = await record(STACK, () => aLake());
  for (const [bucket, days] of [
    ["raw", 30],
    ["lake", 7],
  ] as const) {
    const lifecycle = only(resources, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket);
    const [age, deleted] = lifecycle.inputs["rules"];
    assert.deepEqual(age.noncurrentVersionExpiration, { noncurrentDays: days });
    // S3 takes no days beside it.
    assert.deepEqual(deleted.expiration, { expiredObjectDeleteMarker: true });
  }
});

test("query results go after a week", async () => {
  const { resources } = await record(STACK, () => aLake());
  const lifecycle = only(resources, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "results");
  assert.deepEqual(lifecycle.inputs["rules"][0].expiration, { days: 7 });
});

test("a bucket is private in every way S3 knows", async () => {
  const { resources } = await record(STACK, () => {
    return new PrivateBucket("logs", {
      deployment: new Deployment(STACK),
      encryption: someEncryption(),
      holds: "logs",
      oldVersionsDays: 30,
      protect: true,
      policy: () => [],
    });
  });
  const bucket = only(resources, "aws:s3/bucket:Bucket");
  assert.equal(bucket.inputs["bucket"], "mantissa-test-logs-123456789012");
  assert.equal(bucket.inputs["forceDestroy"], false);
  const block = only(resources, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs;
  assert.deepEqual(
    [block["blockPublicAcls"], block["blockPublicPolicy"], block["ignorePublicAcls"], block["restrictPublicBuckets"]],
    [true, true, true, true],
  );
  const [statement] = statements(only(resources, "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]);
  assert.equal(statement?.Effect, "Deny");
  assert.deepEqual(statement?.Condition, { Bool: { "aws:SecureTransport": "false" } });
});

test("a protected bucket is kept with all that keeps it private; another goes with what it holds", async () => {
  for (const protect of [true, false]) {
    const { resources } = await record(STACK, () => aLake({ protect }));
    const ofBuckets = resources.filter(({ type }) => type.startsWith("aws:s3/bucket"));
    assert.ok(ofBuckets.length > 15);
    for (const { type, name, ...found } of ofBuckets) {
      assert.equal(found.protect, protect, `${type} ${name}`);
    }
    assert.equal(only(resources, "aws:s3/bucket:Bucket", "raw").inputs["forceDestroy"], !protect);
  }
});

test("services that deliver logs do so for this account, and for those that are let in", async () => {
  const { resources } = await record(STACK, () => aLake({ logAccounts: ["345678901234"] }));
  const policy = only(resources, "aws:s3/bucketPolicy:BucketPolicy", "raw");
  const allowed = statements(policy.inputs["policy"]).filter(({ Effect }) => Effect === "Allow");
  assert.equal(allowed.length, 2 * LOG_SERVICES.length);
  for (const { Condition } of allowed) {
    assert.deepEqual(Condition, { StringEquals: { "aws:SourceAccount": ["123456789012", "345678901234"] } });
  }
});

test("partitions are computed from dates", async () => {
  const { resources } = await record(STACK, () => aLake());
  const { parameters } = only(resources, "aws:glue/catalogTable:CatalogTable", "lake-cloudtrail_logs").inputs;
  assert.equal(parameters["projection.enabled"], "true");
  assert.equal(parameters["projection.month.digits"], "2");
  assert.equal(parameters["projection.year.range"], "1970,2099");
  assert.equal(
    parameters["storage.location.template"],
    "s3://mantissa-test-lake-123456789012/cloudtrail_logs/year=${year}/month=${month}/day=${day}",
  );
});

test("a partition column nobody thought of is an error", async () => {
  await assert.rejects(
    record(STACK, () => aLake({ spec: { ...LAKE, partition_columns: ["hour"] } })),
    /no partition projection for `hour`/,
  );
});

test("a view is kept as Athena keeps views", async () => {
  const { resources } = await record(STACK, () => aLake());
  const { viewOriginalText, storageDescriptor } = only(
    resources,
    "aws:glue/catalogTable:CatalogTable",
    "lake-calls",
  ).inputs;
  // Without a SerDe Athena refuses to read the view.
  assert.ok(storageDescriptor.serDeInfo.serializationLibrary);
  const [, encoded] = /^\/\* Presto View: (.+) \*\/$/.exec(viewOriginalText) ?? [];
  assert.deepEqual(JSON.parse(Buffer.from(encoded ?? "", "base64").toString()), {
    originalSql: "SELECT eventname FROM cloudtrail_logs",
    catalog: "awsdatacatalog",
    schema: "mantissa_test_lake",
    columns: [{ name: "eventname", type: "varchar" }],
  });
});

test("no query chooses where its results go or how much it reads", async () => {
  const { resources } = await record(STACK, () => aLake());
  const { configuration } = only(resources, "aws:athena/workgroup:Workgroup").inputs;
  assert.equal(configuration.enforceWorkgroupConfiguration, true);
  assert.equal(configuration.bytesScannedCutoffPerQuery, 10 * 1024 ** 3);
  assert.equal(configuration.resultConfiguration.encryptionConfiguration.encryptionOption, "SSE_KMS");
});

test("S3 tells of objects, and EventBridge of our queries only", async () => {
  const { resources } = await record(STACK, () => {
    const around = someSurroundings();
    around.lake.announceTo(around.queues);
  });
  const notification = only(resources, "aws:s3/bucketNotification:BucketNotification");
  assert.equal(notification.inputs["bucket"], "mantissa-test-raw-123456789012");
  assert.deepEqual(
    notification.inputs["queues"].map((queue: { events: string[] }) => queue.events),
    [["s3:ObjectCreated:*"]],
  );
  const rule = only(resources, "aws:cloudwatch/eventRule:EventRule", "query-ended");
  assert.deepEqual(JSON.parse(rule.inputs["eventPattern"]).detail, {
    workgroupName: ["mantissa-test"],
    currentState: ["SUCCEEDED", "FAILED", "CANCELLED"],
  });
  assert.match(only(resources, "aws:cloudwatch/eventTarget:EventTarget").inputs["arn"], /query_ended$/);
});

test("a table has its keys, its indexes, its end of life, and can be restored", async () => {
  const spec: TableSpec = {
    name: "alerts",
    indexes: [
      { name: "by_end", local: true, partition_key: "pk", sort_key: "dedup_to", sort_key_type: "number" },
      { name: "by_status", local: false, partition_key: "status", sort_key: "opened_key", sort_key_type: "text" },
    ],
    expires: "expires_at",
  };
  const { resources } = await record(STACK, () => {
    const deployment = new Deployment(STACK);
    return new StateTables("state", { deployment, encryption: someEncryption(), specs: [spec], protect: true });
  });
  const { inputs, protect } = only(resources, "aws:dynamodb/table:Table");
  assert.equal(inputs["name"], "mantissa-test-alerts");
  assert.deepEqual(inputs["attributes"], [
    { name: "pk", type: "S" },
    { name: "sk", type: "S" },
    { name: "dedup_to", type: "N" },
    { name: "status", type: "S" },
    { name: "opened_key", type: "S" },
  ]);
  assert.deepEqual(inputs["localSecondaryIndexes"], [{ name: "by_end", rangeKey: "dedup_to", projectionType: "ALL" }]);
  assert.deepEqual(inputs["globalSecondaryIndexes"], [
    { name: "by_status", hashKey: "status", rangeKey: "opened_key", projectionType: "ALL" },
  ]);
  assert.deepEqual(inputs["ttl"], { attributeName: "expires_at", enabled: true });
  assert.deepEqual(inputs["pointInTimeRecovery"], { enabled: true });
  assert.deepEqual([inputs["deletionProtectionEnabled"], protect], [true, true]);
});

function aConfiguration(settings = someSettings()): Configuration {
  return new Configuration("configuration", {
    deployment: new Deployment(STACK),
    encryption: someEncryption(),
    ...settings,
  });
}

test("another rule is another archive under another key", async () => {
  const settings = someSettings();
  const first = await record(STACK, () => aConfiguration(settings));
  const same = await record(STACK, () => aConfiguration(settings));
  assert.equal(await value(first.result.uri), await value(same.result.uri));
  writeFileSync(path.join(settings.rulesFolder, "another.yml"), "title: Another");
  const changed = await record(STACK, () => aConfiguration(settings));
  assert.notEqual(await value(changed.result.uri), await value(first.result.uri));
});

test("the archive holds the configuration, the rules, and the assets where there are some", async () => {
  const settings = someSettings();
  const entries = async (assetsFile: string | undefined) => {
    const { resources } = await record(STACK, () => aConfiguration({ ...settings, assetsFile }));
    const { source } = only(resources, "aws:s3/bucketObjectv2:BucketObjectv2").inputs;
    return Object.keys(await source.assets).sort();
  };
  assert.deepEqual(await entries(undefined), ["mantissa.toml", "rules/cloudtrail/root_login.yml"]);
  const assets = path.join(path.dirname(settings.configurationFile), "assets.csv");
  assert.deepEqual(await entries(assets), ["assets.csv", "mantissa.toml", "rules/cloudtrail/root_login.yml"]);
});

test("a missing configuration is an error that says what to do", async () => {
  const settings = someSettings({ configurationFile: "nowhere/mantissa.toml" });
  await assert.rejects(
    record(STACK, () => aConfiguration(settings)),
    /`mantissa config init` makes a first one\) or set mantissa:configurationFile/,
  );
});

test("only buckets that hold what cannot be made again keep versions", async () => {
  const { resources } = await record(STACK, () => someSurroundings());
  const versioned = all(resources, "aws:s3/bucketVersioning:BucketVersioning").map(({ name }) => name);
  assert.deepEqual(versioned.sort(), ["configuration", "lake", "raw"]);
});
