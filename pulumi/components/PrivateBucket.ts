import * as pulumi from "@pulumi/pulumi";
import * as s3 from "@pulumi/aws/s3";
import type { Deployment } from "../deployment.ts";
import { onlyTls, policyDocument, type Statement } from "../policies.ts";
import type { Encryption } from "./Encryption.ts";

export interface PrivateBucketArgs {
  deployment: Deployment;
  /** What it holds: `mantissa-<stack>-<holds>-<account>`. */
  holds: string;
  /** `undefined`: S3's own key, for what the public may read anyway through CloudFront. */
  encryption: Encryption | undefined;
  /** Days for which what was overwritten or deleted is kept; `undefined` keeps none of it. */
  oldVersionsDays?: number;
  /** Days after which objects go; `undefined` keeps them. */
  expireAfterDays?: number;
  /** Days after which objects move to infrequent access. */
  infrequentAfterDays?: number;
  /** Neither the bucket nor one of its settings can be deleted; without it, the bucket goes with all it holds. */
  protect: boolean;
  /** Whom its policy lets in, beside the account's own roles: `setPolicy` says it where this does not. */
  policy: ((bucketArn: pulumi.Output<string>) => Statement[]) | "set later";
}

/** A bucket nobody outside reaches: no public access, TLS only, encrypted, owned by the account that owns the bucket. */
export class PrivateBucket extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly domainName: pulumi.Output<string>;

  private readonly publicAccessBlock: s3.BucketPublicAccessBlock;

  constructor(
    private readonly logicalName: string,
    args: PrivateBucketArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    // Its settings inherit it: what keeps a bucket private is kept with it.
    super("mantissa:aws:PrivateBucket", logicalName, {}, { ...opts, protect: args.protect });
    const name = logicalName;
    const bucket = new s3.Bucket(
      name,
      {
        bucket: args.deployment.bucketName(args.holds),
        forceDestroy: !args.protect,
        tags: args.deployment.tags("PrivateBucket"),
      },
      { parent: this },
    );
    const of = { bucket: bucket.bucket };
    this.publicAccessBlock = new s3.BucketPublicAccessBlock(
      name,
      { ...of, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      { parent: this },
    );
    new s3.BucketOwnershipControls(name, { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } }, { parent: this });
    new s3.BucketServerSideEncryptionConfiguration(
      name,
      { ...of, rules: [encryptionRule(args.encryption)] },
      { parent: this },
    );
    const versioning =
      args.oldVersionsDays === undefined
        ? undefined
        : new s3.BucketVersioning(name, { ...of, versioningConfiguration: { status: "Enabled" } }, { parent: this });
    new s3.BucketLifecycleConfiguration(
      name,
      { ...of, rules: lifecycleRules(args) },
      { parent: this, dependsOn: versioning ? [versioning] : [] },
    );
    this.name = bucket.bucket;
    this.arn = bucket.arn;
    this.domainName = bucket.bucketRegionalDomainName;
    if (args.policy !== "set later") {
      this.setPolicy(args.policy(bucket.arn));
    }
    this.registerOutputs({ name: this.name, arn: this.arn });
  }

  setPolicy(statements: Statement[]): void {
    new s3.BucketPolicy(
      this.logicalName,
      {
        bucket: this.name,
        policy: policyDocument([onlyTls("s3", [this.arn, pulumi.interpolate`${this.arn}/*`]), ...statements]),
      },
      // S3 refuses two of a bucket's settings at the same time.
      { parent: this, dependsOn: this.publicAccessBlock },
    );
  }
}

function encryptionRule(encryption: Encryption | undefined) {
  return encryption
    ? {
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: encryption.keyArn },
        // One call to KMS for many objects, not one each.
        bucketKeyEnabled: true,
      }
    : { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } };
}

function lifecycleRules(args: PrivateBucketArgs) {
  const all = { status: "Enabled", filter: { prefix: "" } };
  const age = {
    id: "age",
    ...all,
    abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    ...(args.infrequentAfterDays === undefined
      ? {}
      : { transitions: [{ days: args.infrequentAfterDays, storageClass: "STANDARD_IA" }] }),
    ...(args.expireAfterDays === undefined ? {} : { expiration: { days: args.expireAfterDays } }),
    ...(args.oldVersionsDays === undefined
      ? {}
      : { noncurrentVersionExpiration: { noncurrentDays: args.oldVersionsDays } }),
  };
  // What a deletion leaves when its last old version is gone. S3 takes it in no rule that has days.
  const deleted = { id: "deleted", ...all, expiration: { expiredObjectDeleteMarker: true } };
  return args.oldVersionsDays === undefined ? [age] : [age, deleted];
}
