import * as pulumi from "@pulumi/pulumi";
import * as secretsmanager from "@pulumi/aws/secretsmanager";
import type { Deployment } from "../deployment.ts";
import type { Encryption } from "./Encryption.ts";

export interface EmptySecretArgs {
  deployment: Deployment;
  encryption: Encryption;
  /** Keeps a deleted secret for 30 days, in which nobody can make another one of its name. */
  protect: boolean;
  /** As the configuration names it, without the stack's prefix. */
  name: string;
  holds: string;
  /** What it is tagged with. */
  component: string;
}

/** A secret without a value, which people fill: it is in no file and in no state. */
export function emptySecret(
  logicalName: string,
  args: EmptySecretArgs,
  opts?: pulumi.CustomResourceOptions,
): secretsmanager.Secret {
  const { deployment, encryption, protect, name } = args;
  return new secretsmanager.Secret(
    logicalName,
    {
      name: `${deployment.secretPrefix}${name}`,
      description: `${args.holds}. \`aws secretsmanager put-secret-value\` fills it`,
      kmsKeyId: encryption.keyArn,
      recoveryWindowInDays: protect ? 30 : 0,
      tags: deployment.tags(args.component),
    },
    opts,
  );
}
