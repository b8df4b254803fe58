import * as pulumi from "@pulumi/pulumi";
import * as apigatewayv2 from "@pulumi/aws/apigatewayv2";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as lambda from "@pulumi/aws/lambda";
import type { Surroundings } from "../surroundings.ts";
import type { PipelineStage } from "./PipelineStage.ts";

export interface ApiArgs {
  around: Surroundings;
  /** The function that answers. */
  stage: PipelineStage;
}

/** The HTTP API in front of a function: nothing is answered without a token, and every request is in the access log. */
export class Api extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  /** `https://<id>.execute-api.<region>.amazonaws.com`. */
  readonly url: pulumi.Output<string>;
  private readonly integration: apigatewayv2.Integration;

  constructor(
    private readonly logicalName: string,
    args: ApiArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("mantissa:aws:Api", logicalName, {}, opts);
    const { deployment, encryption, settings } = args.around;
    const tags = deployment.tags("Api");
    const api = new apigatewayv2.Api(
      logicalName,
      { name: deployment.name("api"), protocolType: "HTTP", description: "Alerts, rules and deliveries", tags },
      { parent: this },
    );
    const accessLog = new cloudwatch.LogGroup(
      `${logicalName}-access`,
      {
        name: `/aws/apigateway/${deployment.name("api")}`,
        retentionInDays: settings.logRetentionDays,
        kmsKeyId: encryption.keyArn,
        tags,
      },
      { parent: this },
    );
    new apigatewayv2.Stage(
      logicalName,
      {
        apiId: api.id,
        name: "$default",
        autoDeploy: true,
        accessLogSettings: { destinationArn: accessLog.arn, format: JSON.stringify(ACCESS_LOG) },
        defaultRouteSettings: { throttlingBurstLimit: 200, throttlingRateLimit: 100 },
        tags,
      },
      { parent: this },
    );
    this.integration = new apigatewayv2.Integration(
      logicalName,
      {
        apiId: api.id,
        integrationType: "AWS_PROXY",
        integrationUri: args.stage.function.invokeArn,
        payloadFormatVersion: "2.0",
      },
      { parent: this },
    );
    new lambda.Permission(
      logicalName,
      {
        action: "lambda:InvokeFunction",
        function: args.stage.function.name,
        principal: "apigateway.amazonaws.com",
        sourceArn: pulumi.interpolate`${api.executionArn}/$default/*`,
      },
      { parent: this },
    );
    this.id = api.id;
    this.url = api.apiEndpoint;
    this.registerOutputs({ url: this.url });
  }

  /** Answers whoever shows a token that the issuer gave to this client. */
  answer(issuer: pulumi.Input<string>, clientId: pulumi.Input<string>): void {
    const authorizer = new apigatewayv2.Authorizer(
      this.logicalName,
      {
        apiId: this.id,
        name: "token",
        authorizerType: "JWT",
        identitySources: ["$request.header.Authorization"],
        jwtConfiguration: { issuer, audiences: [clientId] },
      },
      { parent: this },
    );
    new apigatewayv2.Route(
      this.logicalName,
      {
        apiId: this.id,
        routeKey: "ANY /api/{proxy+}",
        target: pulumi.interpolate`integrations/${this.integration.id}`,
        authorizationType: "JWT",
        authorizerId: authorizer.id,
      },
      { parent: this },
    );
  }
}

const ACCESS_LOG = {
  time: "$context.requestTime",
  request_id: "$context.requestId",
  ip: "$context.identity.sourceIp",
  subject: "$context.authorizer.claims.sub",
  method: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  latency_ms: "$context.responseLatency",
  error: "$context.authorizer.error",
};
