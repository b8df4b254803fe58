import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import type { Deployment } from "../deployment.ts";
import type { Encryption } from "./Encryption.ts";

export interface EventBusArgs {
  deployment: Deployment;
  encryption: Encryption;
}

/** Where what becomes of alerts is told to the rest of the account: whoever wants to hear of it writes a rule on this bus. */
export class EventBus extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;

  constructor(logicalName: string, args: EventBusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:EventBus", logicalName, {}, opts);
    const { deployment, encryption } = args;
    const bus = new cloudwatch.EventBus(
      logicalName,
      {
        name: deployment.name(logicalName),
        description: "What becomes of alerts and their deliveries",
        kmsKeyIdentifier: encryption.keyArn,
        tags: deployment.tags("EventBus"),
      },
      { parent: this },
    );
    this.name = bus.name;
    this.arn = bus.arn;
    this.registerOutputs({ name: this.name });
  }
}
