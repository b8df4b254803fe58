import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as iam from "@pulumi/aws/iam";
import * as lambda from "@pulumi/aws/lambda";
import * as scheduler from "@pulumi/aws/scheduler";
import { environment } from "../environment.ts";
import type { FunctionSpec } from "../inputs.ts";
import { permissions } from "../permissions.ts";
import { policyDocument, trustService } from "../policies.ts";
import type { Surroundings } from "../surroundings.ts";

export interface PipelineStageArgs {
  spec: FunctionSpec;
  around: Surroundings;
  /** The secrets it may read, beside what every function may. */
  secretArns?: pulumi.Output<string>[];
}

/** A function of the pipeline: its role, its log, and what wakes it: queues, a schedule, or the deployment itself. */
export class PipelineStage extends pulumi.ComponentResource {
  readonly spec: FunctionSpec;
  readonly function: lambda.Function;
  readonly codeDigest: string;
  /** Depend on it before the function is invoked: what its role may do, and what wakes it. */
  readonly ready: pulumi.Resource[] = [];

  constructor(
    readonly name: string,
    args: PipelineStageArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("mantissa:aws:PipelineStage", name, {}, opts);
    const { spec, around, secretArns = [] } = args;
    const { deployment, encryption, settings } = around;
    const functionName = deployment.name(spec.name);
    const tags = deployment.tags("PipelineStage");
    const code = packageOf(spec, settings.packages);
    this.spec = spec;
    this.codeDigest = createHash("sha256").update(readFileSync(code)).digest("base64");

    const logs = new cloudwatch.LogGroup(
      name,
      {
        name: `/aws/lambda/${functionName}`,
        retentionInDays: settings.logRetentionDays,
        kmsKeyId: encryption.keyArn,
        tags,
      },
      { parent: this },
    );
    const role = new iam.Role(
      name,
      { name: functionName, description: spec.doc, assumeRolePolicy: trustService("lambda.amazonaws.com"), tags },
      { parent: this },
    );
    const policy = new iam.RolePolicy(
      name,
      { role: role.name, name: "needs", policy: policyDocument(permissions(spec, around, logs.arn, secretArns)) },
      { parent: this },
    );
    this.function = new lambda.Function(
      name,
      {
        name: functionName,
        description: spec.doc,
        runtime: "provided.al2023",
        architectures: [settings.architecture],
        handler: "bootstrap",
        code: new pulumi.asset.FileArchive(code),
        sourceCodeHash: this.codeDigest,
        timeout: spec.timeout_s,
        memorySize: spec.memory_mb,
        role: role.arn,
        kmsKeyArn: encryption.keyArn,
        // The function filters by itself, as `logFilter` says.
        loggingConfig: { logFormat: "JSON", applicationLogLevel: "TRACE", logGroup: logs.name },
        environment: { variables: environment(spec, around) },
        tags,
      },
      // The first invocation must find its permissions.
      { parent: this, dependsOn: policy },
    );
    this.ready.push(policy, this.function);
    this.consume(spec, around);
    this.schedule(spec, around);
    this.registerOutputs({ functionArn: this.function.arn });
  }

  private consume(spec: FunctionSpec, around: Surroundings): void {
    const atMost = around.settings.maxConcurrency ?? Infinity;
    for (const queueName of spec.queues) {
      const { spec: queueSpec, queue } = around.queue(queueName);
      const mapping = new lambda.EventSourceMapping(
        queueName,
        {
          eventSourceArn: queue.arn,
          functionName: this.function.arn,
          batchSize: queueSpec.batch_size,
          // Lambda takes more than ten at once only when it may wait for them.
          ...(queueSpec.batch_size > 10 ? { maximumBatchingWindowInSeconds: 1 } : {}),
          functionResponseTypes: ["ReportBatchItemFailures"],
          // Lambda takes no less than two.
          scalingConfig: { maximumConcurrency: Math.max(2, Math.min(spec.max_concurrency, atMost)) },
          tags: around.deployment.tags("PipelineStage"),
        },
        { parent: this },
      );
      this.ready.push(mapping);
    }
  }

  private schedule(spec: FunctionSpec, around: Surroundings): void {
    if (!spec.schedule) {
      return;
    }
    const { deployment, schedules } = around;
    const { rate_minutes: minutes, input } = spec.schedule;
    // When the next tick is due, this one is not needed any more.
    const maximumEventAgeInSeconds = Math.min(60 * minutes, LONGEST_EVENT_AGE_S);
    const role = new iam.Role(
      `${this.name}-schedule`,
      {
        name: deployment.name(`${spec.name}-schedule`),
        description: `Invokes ${spec.name} on time`,
        assumeRolePolicy: trustService("scheduler.amazonaws.com", {
          StringEquals: { "aws:SourceAccount": deployment.accountId, "aws:SourceArn": schedules.arn },
        }),
        tags: deployment.tags("PipelineStage"),
      },
      { parent: this },
    );
    const policy = new iam.RolePolicy(
      `${this.name}-schedule`,
      {
        role: role.name,
        name: "invoke",
        policy: policyDocument([{ Action: "lambda:InvokeFunction", Resource: this.function.arn }]),
      },
      { parent: this },
    );
    // A tick that fails is made up by the next one: retrying it would only make two run at once.
    const invocation = new lambda.FunctionEventInvokeConfig(
      `${this.name}-schedule`,
      { functionName: this.function.name, maximumRetryAttempts: 0, maximumEventAgeInSeconds },
      { parent: this },
    );
    new scheduler.Schedule(
      this.name,
      {
        name: deployment.name(spec.name),
        description: spec.doc,
        scheduleExpression: minutes === 1 ? "rate(1 minute)" : `rate(${minutes} minutes)`,
        flexibleTimeWindow: { mode: "OFF" },
        groupName: schedules.name,
        target: {
          arn: this.function.arn,
          roleArn: role.arn,
          input: JSON.stringify(input),
          retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds },
        },
      },
      { parent: this, dependsOn: [policy, invocation] },
    );
  }
}

/** Lambda keeps an invocation for no longer. */
const LONGEST_EVENT_AGE_S = 6 * 60 * 60;

function packageOf(spec: FunctionSpec, packages: string): string {
  const file = path.join(packages, spec.binary, "bootstrap.zip");
  if (!existsSync(file)) {
    throw new Error(`no package of function \`${spec.name}\` at ${file}; run \`make lambda\` or set mantissa:packages`);
  }
  return file;
}
