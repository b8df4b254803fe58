import * as pulumi from "@pulumi/pulumi";
import * as athena from "@pulumi/aws/athena";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as s3 from "@pulumi/aws/s3";
import type { Deployment } from "../deployment.ts";
import type { LakeSpec, QueueSpec } from "../inputs.ts";
import { LOG_SERVICES, onBehalfOf, type Statement } from "../policies.ts";
import type { DurableQueue, Sender } from "./DurableQueue.ts";
import type { Encryption } from "./Encryption.ts";
import { LakeCatalogue } from "./LakeCatalogue.ts";
import { PrivateBucket } from "./PrivateBucket.ts";

export interface DataLakeArgs {
  deployment: Deployment;
  encryption: Encryption;
  spec: LakeSpec;
  protect: boolean;
  /** Accounts whose services deliver logs, beside this one. */
  logAccounts: string[];
  queryLimitGib: number;
}

/** What the lake itself tells, as `aws_queues` of `contracts/topology.json` names it. */
const OBJECT_CREATED = "aws.s3.object_created";
const QUERY_ENDED = "aws.athena.query_ended";

/** Where logs land, where they are kept, and Athena, which queries them. */
export class DataLake extends pulumi.ComponentResource {
  readonly raw: PrivateBucket;
  readonly bucket: PrivateBucket;
  readonly results: PrivateBucket;
  readonly catalogue: LakeCatalogue;
  readonly workgroup: athena.Workgroup;
  private readonly queryEnded: cloudwatch.EventRule;

  constructor(logicalName: string, args: DataLakeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:DataLake", logicalName, {}, opts);
    const { deployment, encryption, protect } = args;
    const tags = deployment.tags("DataLake");
    const nobodyElse = () => [];
    const ageing = { infrequentAfterDays: 30, expireAfterDays: 365 };
    const bucket = (
      holds: string,
      rest: Omit<ConstructorParameters<typeof PrivateBucket>[1], "deployment" | "encryption" | "protect" | "holds">,
    ) => new PrivateBucket(holds, { deployment, encryption, protect, holds, ...rest }, { parent: this });

    this.raw = bucket("raw", {
      ...ageing,
      oldVersionsDays: 30,
      policy: (arn) => awsMayDeliverLogs([deployment.accountId, ...args.logAccounts], arn),
    });
    // Small files are merged all the time, and what was merged is kept for as long as a mistake takes to be seen.
    this.bucket = bucket("lake", { ...ageing, oldVersionsDays: 7, policy: nobodyElse });
    this.results = bucket("results", { policy: nobodyElse, expireAfterDays: 7 });
    this.catalogue = new LakeCatalogue(
      "lake",
      { deployment, bucket: this.bucket.name, spec: args.spec },
      { parent: this },
    );

    this.workgroup = new athena.Workgroup(
      logicalName,
      {
        name: `mantissa-${deployment.stack}`,
        description: "Rules' queries and people's",
        forceDestroy: !protect,
        configuration: {
          // What a query asks for itself does not count: no other results bucket, no more bytes.
          enforceWorkgroupConfiguration: true,
          publishCloudwatchMetricsEnabled: true,
          bytesScannedCutoffPerQuery: args.queryLimitGib * 1024 ** 3,
          engineVersion: { selectedEngineVersion: "Athena engine version 3" },
          resultConfiguration: {
            outputLocation: pulumi.interpolate`s3://${this.results.name}/`,
            encryptionConfiguration: { encryptionOption: "SSE_KMS", kmsKeyArn: encryption.keyArn },
          },
        },
        tags,
      },
      { parent: this },
    );
    this.queryEnded = new cloudwatch.EventRule(
      "query-ended",
      {
        name: deployment.name("query-ended"),
        description: "A query of our workgroup has ended",
        eventPattern: pulumi.jsonStringify({
          source: ["aws.athena"],
          "detail-type": ["Athena Query State Change"],
          detail: { workgroupName: [this.workgroup.name], currentState: ["SUCCEEDED", "FAILED", "CANCELLED"] },
        }),
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ raw: this.raw.name, lake: this.bucket.name });
  }

  /** As what the lake writes to a queue by itself. */
  senderTo(spec: QueueSpec): Sender[] {
    return [
      ...(spec.messages.includes(OBJECT_CREATED) ? [{ service: "s3.amazonaws.com", arn: this.raw.arn } as const] : []),
      ...(spec.messages.includes(QUERY_ENDED)
        ? [{ service: "events.amazonaws.com", arn: this.queryEnded.arn } as const]
        : []),
    ];
  }

  /** Tells the queues what happens: an object arrived, a query ended. */
  announceTo(queues: DurableQueue[]): void {
    const told = (message: string) => queues.filter(({ spec }) => spec.messages.includes(message));
    const objectCreated = told(OBJECT_CREATED);
    new s3.BucketNotification(
      "object-created",
      {
        bucket: this.raw.name,
        queues: objectCreated.map(({ spec, queue }) => ({
          id: spec.name,
          queueArn: queue.arn,
          events: ["s3:ObjectCreated:*"],
        })),
      },
      { parent: this, dependsOn: objectCreated.map(({ policy }) => policy) },
    );
    for (const { spec, queue, dlq, policy } of told(QUERY_ENDED)) {
      new cloudwatch.EventTarget(
        spec.name,
        { rule: this.queryEnded.name, arn: queue.arn, deadLetterConfig: { arn: dlq.arn } },
        { parent: this, dependsOn: policy },
      );
    }
  }
}

/** CloudTrail, VPC flow logs and GuardDuty of these accounts may deliver into the raw bucket. */
function awsMayDeliverLogs(accounts: pulumi.Input<string>[], bucketArn: pulumi.Output<string>): Statement[] {
  return LOG_SERVICES.flatMap((service): Statement[] => [
    {
      Principal: { Service: service },
      Action: ["s3:GetBucketAcl", "s3:GetBucketLocation"],
      Resource: bucketArn,
      Condition: onBehalfOf(accounts),
    },
    {
      Principal: { Service: service },
      Action: "s3:PutObject",
      Resource: pulumi.interpolate`${bucketArn}/*`,
      Condition: onBehalfOf(accounts),
    },
  ]);
}
