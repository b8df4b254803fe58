import * as pulumi from "@pulumi/pulumi";
import * as lambda from "@pulumi/aws/lambda";
import type { Configuration } from "./Configuration.ts";
import type { PipelineStage } from "./PipelineStage.ts";

export interface FirstRunArgs {
  configuration: Configuration;
  stages: PipelineStage[];
  /** What must be there first. */
  after: pulumi.Resource[];
}

/** Invokes the functions that want to be told of a deployment, when the configuration or their code is another one. */
export class FirstRun extends pulumi.ComponentResource {
  /** What each of them answered: rules and destinations counted, problems named. */
  readonly answers: Record<string, pulumi.Output<unknown>>;

  constructor(name: string, args: FirstRunArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:FirstRun", name, {}, opts);
    const told = args.stages.filter((stage) => stage.spec.on_deployment);
    this.answers = Object.fromEntries(
      told.map((stage) => {
        const invocation = new lambda.Invocation(
          stage.spec.name,
          {
            functionName: stage.function.name,
            input: JSON.stringify(stage.spec.on_deployment),
            triggers: { configuration: args.configuration.uri, code: stage.codeDigest },
          },
          { parent: this, dependsOn: [...stage.ready, ...args.after] },
        );
        return [stage.spec.name, invocation.result.apply((answer): unknown => JSON.parse(answer))];
      }),
    );
    this.registerOutputs({ answers: this.answers });
  }
}
