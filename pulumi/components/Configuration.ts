import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as s3 from "@pulumi/aws/s3";
import type { Deployment } from "../deployment.ts";
import type { Encryption } from "./Encryption.ts";
import { PrivateBucket } from "./PrivateBucket.ts";

export interface ConfigurationArgs {
  deployment: Deployment;
  encryption: Encryption;
  configurationFile: string;
  rulesFolder: string;
  assetsFile: string | undefined;
  maxmindFile: string | undefined;
  protect: boolean;
}

/** `mantissa.toml`, the rules and the assets, as one archive whose key says what is in it: another content is another
 * key, so functions see it by their environment and never half of it. */
export class Configuration extends pulumi.ComponentResource {
  readonly bucket: PrivateBucket;
  /** `s3://<bucket>/<key>`. */
  readonly uri: pulumi.Output<string>;
  /** Where archives are, also the next ones: functions may read them. */
  readonly objectArns: pulumi.Output<string>;

  constructor(name: string, args: ConfigurationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:Configuration", name, {}, opts);
    const { deployment, encryption, protect } = args;
    const files = archived(args);
    this.bucket = new PrivateBucket(
      name,
      { deployment, encryption, protect, holds: "configuration", oldVersionsDays: 30, policy: () => [] },
      { parent: this },
    );
    const archive = new s3.BucketObjectv2(
      name,
      {
        bucket: this.bucket.name,
        key: `${ARCHIVES}/${digest(files)}.zip`,
        source: new pulumi.asset.AssetArchive(
          Object.fromEntries(files.map(({ as, from }) => [as, new pulumi.asset.FileAsset(from)])),
        ),
        contentType: "application/zip",
        kmsKeyId: encryption.keyArn,
        serverSideEncryption: "aws:kms",
        tags: deployment.tags("Configuration"),
      },
      // A function that has not been told of the new archive yet reads the old one. Archives stay as long as their bucket.
      { parent: this, retainOnDelete: true },
    );
    this.uri = pulumi.interpolate`s3://${archive.bucket}/${archive.key}`;
    this.objectArns = pulumi.interpolate`${this.bucket.arn}/${ARCHIVES}/*`;
    this.registerOutputs({ uri: this.uri });
  }
}

const ARCHIVES = "archives";

interface ArchivedFile {
  as: string;
  from: string;
}

function archived(args: ConfigurationArgs): ArchivedFile[] {
  if (!existsSync(args.configurationFile)) {
    throw new Error(
      `no configuration at ${args.configurationFile}; write one (\`mantissa config init\` makes a first one) or set mantissa:configurationFile`,
    );
  }
  const rules = readdirSync(args.rulesFolder, { recursive: true, encoding: "utf8" })
    .map((file) => ({
      as: path.posix.join("rules", file.split(path.sep).join("/")),
      from: path.join(args.rulesFolder, file),
    }))
    .filter(({ from }) => statSync(from).isFile());
  return [
    { as: "mantissa.toml", from: args.configurationFile },
    ...rules,
    ...(args.assetsFile ? [{ as: "assets.csv", from: args.assetsFile }] : []),
    ...(args.maxmindFile ? [{ as: path.basename(args.maxmindFile), from: args.maxmindFile }] : []),
  ].sort((a, b) => (a.as < b.as ? -1 : 1));
}

function digest(files: ArchivedFile[]): string {
  const hash = createHash("sha256");
  for (const { as, from } of files) {
    const content = readFileSync(from);
    hash.update(`${as}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}
