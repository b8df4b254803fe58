import * as pulumi from "@pulumi/pulumi";
import * as secretsmanager from "@pulumi/aws/secretsmanager";
import { notifiedTypes } from "../inputs.ts";
import { PipelineStage, type PipelineStageArgs } from "./PipelineStage.ts";

/** The stage that sends to one type of destinations, and the secrets that they name: made empty, filled by people. */
export class Notifier extends pulumi.ComponentResource {
  readonly stage: PipelineStage;
  readonly secretNames: pulumi.Output<string>[];

  constructor(name: string, args: PipelineStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:Notifier", name, {}, opts);
    const { deployment, encryption, settings } = args.around;
    this.stage = new PipelineStage(name, args, { parent: this });
    const secrets = notifiedTypes(args.spec).flatMap((type) => settings.destinationSecrets[type] ?? []);
    this.secretNames = secrets.map(
      (secret) =>
        new secretsmanager.Secret(
          `${name}-${secret}`,
          {
            name: `${deployment.secretPrefix}${secret}`,
            description: "What a destination signs or signs in with. `aws secretsmanager put-secret-value` fills it",
            kmsKeyId: encryption.keyArn,
            tags: deployment.tags("Notifier"),
          },
          { parent: this },
        ).name,
    );
    this.registerOutputs({ secretNames: this.secretNames });
  }
}
