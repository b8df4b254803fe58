import * as pulumi from "@pulumi/pulumi";

/** One statement of a policy, as AWS writes it. */
export interface Statement {
  Sid?: string;
  Effect?: "Allow" | "Deny";
  Principal?: "*" | { Service?: pulumi.Input<string>; AWS?: pulumi.Input<string> | pulumi.Input<string>[] };
  Action: string | string[];
  Resource: pulumi.Input<string> | pulumi.Input<string>[];
  Condition?: Record<string, Record<string, pulumi.Input<string> | pulumi.Input<string>[]>>;
}

export function policyDocument(statements: Statement[]): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...statement })),
  });
}

/** The role may be taken on by this AWS service. */
export function trustService(service: string, condition?: Statement["Condition"]): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sts:AssumeRole",
        ...(condition ? { Condition: condition } : {}),
      },
    ],
  });
}

/** Refuses whoever does not come over TLS, whatever they want to do. */
export function onlyTls(service: "s3" | "sns" | "sqs", resources: pulumi.Input<string>[]): Statement {
  return {
    Sid: ONLY_TLS,
    Effect: "Deny",
    Principal: "*",
    // A refusal may be as wide as can be. SNS knows no `sns:*` in a topic's policy.
    Action: service === "sns" ? "sns:Publish" : `${service}:*`,
    Resource: resources,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

export const ONLY_TLS = "OnlyTls";

/** The services of AWS that deliver logs into the raw bucket. */
export const LOG_SERVICES = ["cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com", "guardduty.amazonaws.com"];

/** Only for what a service does on behalf of these accounts. */
export function onBehalfOf(accounts: pulumi.Input<string>[]): NonNullable<Statement["Condition"]> {
  return { StringEquals: { "aws:SourceAccount": accounts } };
}
