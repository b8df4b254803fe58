import * as pulumi from "@pulumi/pulumi";
import * as sesv2 from "@pulumi/aws/sesv2";
import type { Deployment } from "../deployment.ts";

export interface MailIdentityArgs {
  deployment: Deployment;
  /** A domain or an address. */
  identity: string;
}

export interface DkimRecord {
  name: string;
  type: "CNAME";
  value: string;
}

/** Who mails are from. SES sends none before whoever owns the domain publishes its records, or the address's link is clicked. */
export class MailIdentity extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  /** What shows that the domain is ours; none for an address, to which SES mails a link. */
  readonly dkimRecords: pulumi.Output<DkimRecord[]>;

  constructor(logicalName: string, args: MailIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:MailIdentity", logicalName, {}, opts);
    const { deployment, identity: domainOrAddress } = args;
    const identity = new sesv2.EmailIdentity(
      logicalName,
      { emailIdentity: domainOrAddress, tags: deployment.tags("MailIdentity") },
      { parent: this },
    );
    this.arn = identity.arn;
    this.dkimRecords = domainOrAddress.includes("@")
      ? pulumi.output([])
      : pulumi
          .all([identity.dkimSigningAttributes.tokens, deployment.region])
          .apply(([tokens, region]) => tokens.map((token) => dkimRecord(token, domainOrAddress, region)));
    this.registerOutputs({ arn: this.arn, dkimRecords: this.dkimRecords });
  }
}

function dkimRecord(token: string, domain: string, region: string): DkimRecord {
  const zone = WITH_OWN_ZONE.has(region) ? `dkim.${region}.amazonses.com` : "dkim.amazonses.com";
  return { name: `${token}._domainkey.${domain}`, type: "CNAME", value: `${token}.${zone}` };
}

/** Regions whose keys SES publishes elsewhere: https://docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains. */
const WITH_OWN_ZONE = new Set([
  "af-south-1",
  "ap-northeast-3",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-5",
  "ca-west-1",
  "eu-central-2",
  "eu-south-1",
  "il-central-1",
  "me-central-1",
]);
