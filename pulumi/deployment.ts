import * as pulumi from "@pulumi/pulumi";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { getRegionOutput } from "@pulumi/aws/getRegion";

/** Where a stack is, and how its resources are named and tagged. */
export class Deployment {
  readonly accountId: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;

  constructor(readonly stack: string) {
    this.accountId = getCallerIdentityOutput().accountId;
    this.region = getRegionOutput().region;
  }

  /** `mantissa-<stack>-<of>`. */
  name(of: string): string {
    return `mantissa-${this.stack}-${of}`;
  }

  /** Bucket names are global, so the account is part of them. */
  bucketName(of: string): pulumi.Output<string> {
    return pulumi.interpolate`${this.name(of)}-${this.accountId}`;
  }

  /** What the names of the stack's secrets begin with. */
  get secretPrefix(): string {
    return `mantissa-${this.stack}/`;
  }

  /** Where the functions' own metrics are. */
  get metricNamespace(): string {
    return `Mantissa/${this.stack}`;
  }

  arn(service: string, resource: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.interpolate`arn:aws:${service}:${this.region}:${this.accountId}:${resource}`;
  }

  tags(component: string): Record<string, string> {
    return { project: "mantissa", stack: this.stack, component };
  }
}
