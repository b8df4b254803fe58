import * as pulumi from "@pulumi/pulumi";
import { notifiedTypes } from "../inputs.ts";
import { emptySecret } from "./emptySecret.ts";
import { PipelineStage, type PipelineStageArgs } from "./PipelineStage.ts";

/** The stage that sends to one type of destinations, and the secrets that they name: made empty, filled by people, and
 * read by this stage alone. */
export class Notifier extends pulumi.ComponentResource {
  readonly stage: PipelineStage;
  readonly secretNames: pulumi.Output<string>[];

  constructor(name: string, args: Omit<PipelineStageArgs, "secretArns">, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:Notifier", name, {}, opts);
    const { deployment, encryption, settings } = args.around;
    const named = notifiedTypes(args.spec).flatMap((type) => settings.destinationSecrets[type] ?? []);
    const secrets = named.map((secret) =>
      emptySecret(
        `${name}-${secret}`,
        {
          deployment,
          encryption,
          protect: settings.protect,
          name: secret,
          holds: "What a destination signs or signs in with",
          component: "Notifier",
        },
        { parent: this },
      ),
    );
    this.stage = new PipelineStage(name, { ...args, secretArns: secrets.map(({ arn }) => arn) }, { parent: this });
    this.secretNames = secrets.map((secret) => secret.name);
    this.registerOutputs({ secretNames: this.secretNames });
  }
}
