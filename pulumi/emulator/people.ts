import {
  CreateApiCommand,
  CreateAuthorizerCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import {
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  SetUserPoolMfaConfigCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { present, type Inputs, type ResourceType } from "./resource_type.ts";
import { ACCOUNT, REGION } from "./clients.ts";

/** Sign-in and the HTTP API. */
export const people: Record<string, ResourceType> = {
  "aws:cognito/userPool:UserPool": {
    passes: [
      "name",
      "usernameAttributes",
      "autoVerifiedAttributes",
      "adminCreateUserConfig",
      "mfaConfiguration",
      "softwareTokenMfaConfiguration",
      "passwordPolicy",
      "accountRecoverySetting",
      "deletionProtection",
      "tags",
    ],
    async create(inputs, { cognito }) {
      const password = inputs.passwordPolicy as Inputs;
      const answer = await cognito.send(
        new CreateUserPoolCommand({
          PoolName: inputs.name,
          UsernameAttributes: inputs.usernameAttributes,
          AutoVerifiedAttributes: inputs.autoVerifiedAttributes,
          AdminCreateUserConfig: { AllowAdminCreateUserOnly: inputs.adminCreateUserConfig.allowAdminCreateUserOnly },
          Policies: {
            PasswordPolicy: {
              MinimumLength: password.minimumLength,
              RequireLowercase: password.requireLowercase,
              RequireUppercase: password.requireUppercase,
              RequireNumbers: password.requireNumbers,
              RequireSymbols: password.requireSymbols,
              TemporaryPasswordValidityDays: password.temporaryPasswordValidityDays,
            },
          },
          AccountRecoverySetting: {
            RecoveryMechanisms: inputs.accountRecoverySetting.recoveryMechanisms.map((each: Inputs) => ({
              Name: each.name,
              Priority: each.priority,
            })),
          },
          DeletionProtection: inputs.deletionProtection,
          UserPoolTags: inputs.tags,
        }),
      );
      const id = present(answer.UserPool?.Id, "the user pool's id");
      await cognito.send(
        new SetUserPoolMfaConfigCommand({
          UserPoolId: id,
          MfaConfiguration: inputs.mfaConfiguration,
          SoftwareTokenMfaConfiguration: { Enabled: inputs.softwareTokenMfaConfiguration.enabled },
        }),
      );
      return { id, outputs: { arn: present(answer.UserPool?.Arn, "the user pool's ARN") } };
    },
  },
  "aws:cognito/userPoolDomain:UserPoolDomain": {
    passes: ["userPoolId", "domain"],
    async create(inputs, { cognito }) {
      await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId: inputs.userPoolId, Domain: inputs.domain }));
      return { id: inputs.domain };
    },
  },
  "aws:cognito/userPoolClient:UserPoolClient": {
    passes: [
      "name",
      "userPoolId",
      "generateSecret",
      "allowedOauthFlowsUserPoolClient",
      "allowedOauthFlows",
      "allowedOauthScopes",
      "supportedIdentityProviders",
      "explicitAuthFlows",
      "callbackUrls",
      "logoutUrls",
      "preventUserExistenceErrors",
      "enableTokenRevocation",
      "accessTokenValidity",
      "idTokenValidity",
      "refreshTokenValidity",
      "tokenValidityUnits",
    ],
    async create(inputs, { cognito }) {
      const answer = await cognito.send(
        new CreateUserPoolClientCommand({
          ClientName: inputs.name,
          UserPoolId: inputs.userPoolId,
          GenerateSecret: inputs.generateSecret,
          AllowedOAuthFlowsUserPoolClient: inputs.allowedOauthFlowsUserPoolClient,
          AllowedOAuthFlows: inputs.allowedOauthFlows,
          AllowedOAuthScopes: inputs.allowedOauthScopes,
          SupportedIdentityProviders: inputs.supportedIdentityProviders,
          ExplicitAuthFlows: inputs.explicitAuthFlows,
          CallbackURLs: inputs.callbackUrls,
          LogoutURLs: inputs.logoutUrls,
          PreventUserExistenceErrors: inputs.preventUserExistenceErrors,
          EnableTokenRevocation: inputs.enableTokenRevocation,
          AccessTokenValidity: inputs.accessTokenValidity,
          IdTokenValidity: inputs.idTokenValidity,
          RefreshTokenValidity: inputs.refreshTokenValidity,
          TokenValidityUnits: {
            AccessToken: inputs.tokenValidityUnits.accessToken,
            IdToken: inputs.tokenValidityUnits.idToken,
            RefreshToken: inputs.tokenValidityUnits.refreshToken,
          },
        }),
      );
      return { id: present(answer.UserPoolClient?.ClientId, "the client's id") };
    },
  },
  "aws:apigatewayv2/api:Api": {
    passes: ["name", "protocolType", "description", "tags"],
    async create(inputs, { apigateway }) {
      const answer = await apigateway.send(
        new CreateApiCommand({
          Name: inputs.name,
          ProtocolType: inputs.protocolType,
          Description: inputs.description,
          Tags: inputs.tags,
        }),
      );
      const id = present(answer.ApiId, "the API's id");
      const executionArn = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${id}`;
      return { id, outputs: { apiEndpoint: present(answer.ApiEndpoint, "the API's endpoint"), executionArn } };
    },
  },
  "aws:apigatewayv2/stage:Stage": {
    passes: ["apiId", "name", "autoDeploy", "accessLogSettings", "defaultRouteSettings", "tags"],
    async create(inputs, { apigateway }) {
      await apigateway.send(
        new CreateStageCommand({
          ApiId: inputs.apiId,
          StageName: inputs.name,
          AutoDeploy: inputs.autoDeploy,
          AccessLogSettings: {
            DestinationArn: inputs.accessLogSettings.destinationArn,
            Format: inputs.accessLogSettings.format,
          },
          DefaultRouteSettings: {
            ThrottlingBurstLimit: inputs.defaultRouteSettings.throttlingBurstLimit,
            ThrottlingRateLimit: inputs.defaultRouteSettings.throttlingRateLimit,
          },
          Tags: inputs.tags,
        }),
      );
      return { id: inputs.name };
    },
  },
  "aws:apigatewayv2/integration:Integration": {
    passes: ["apiId", "integrationType", "integrationUri", "payloadFormatVersion"],
    async create(inputs, { apigateway }) {
      const answer = await apigateway.send(
        new CreateIntegrationCommand({
          ApiId: inputs.apiId,
          IntegrationType: inputs.integrationType,
          IntegrationUri: inputs.integrationUri,
          PayloadFormatVersion: inputs.payloadFormatVersion,
        }),
      );
      return { id: present(answer.IntegrationId, "the integration's id") };
    },
  },
  "aws:apigatewayv2/authorizer:Authorizer": {
    passes: ["apiId", "name", "authorizerType", "identitySources", "jwtConfiguration"],
    async create(inputs, { apigateway }) {
      const answer = await apigateway.send(
        new CreateAuthorizerCommand({
          ApiId: inputs.apiId,
          Name: inputs.name,
          AuthorizerType: inputs.authorizerType,
          IdentitySource: inputs.identitySources,
          JwtConfiguration: {
            Issuer: inputs.jwtConfiguration.issuer,
            Audience: inputs.jwtConfiguration.audiences,
          },
        }),
      );
      return { id: present(answer.AuthorizerId, "the authorizer's id") };
    },
  },
  "aws:apigatewayv2/route:Route": {
    passes: ["apiId", "routeKey", "target", "authorizationType", "authorizerId"],
    async create(inputs, { apigateway }) {
      const answer = await apigateway.send(
        new CreateRouteCommand({
          ApiId: inputs.apiId,
          RouteKey: inputs.routeKey,
          Target: inputs.target,
          AuthorizationType: inputs.authorizationType,
          AuthorizerId: inputs.authorizerId,
        }),
      );
      return { id: present(answer.RouteId, "the route's id") };
    },
  },
};
