import * as pulumi from "@pulumi/pulumi";
import * as cognito from "@pulumi/aws/cognito";
import type { Deployment } from "../deployment.ts";

export interface SignInArgs {
  deployment: Deployment;
  protect: boolean;
}

/** Who may use the API and the web application: people an administrator has added, with a second factor. */
export class SignIn extends pulumi.ComponentResource {
  readonly userPoolId: pulumi.Output<string>;
  /** What a token of this pool names as its issuer. */
  readonly issuer: pulumi.Output<string>;
  /** Where the sign-in page is. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: SignInArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:SignIn", name, {}, opts);
    const { deployment, protect } = args;
    const pool = new cognito.UserPool(
      name,
      {
        name: deployment.name("people"),
        usernameAttributes: ["email"],
        autoVerifiedAttributes: ["email"],
        adminCreateUserConfig: { allowAdminCreateUserOnly: true },
        mfaConfiguration: "ON",
        softwareTokenMfaConfiguration: { enabled: true },
        passwordPolicy: {
          minimumLength: 14,
          requireLowercase: true,
          requireUppercase: true,
          requireNumbers: true,
          requireSymbols: false,
          temporaryPasswordValidityDays: 3,
        },
        accountRecoverySetting: { recoveryMechanisms: [{ name: "verified_email", priority: 1 }] },
        deletionProtection: protect ? "ACTIVE" : "INACTIVE",
        tags: deployment.tags("SignIn"),
      },
      { parent: this, protect },
    );
    const domain = new cognito.UserPoolDomain(
      name,
      // Such domains are global, as bucket names are.
      { userPoolId: pool.id, domain: deployment.bucketName("sign-in") },
      { parent: this },
    );
    this.userPoolId = pool.id;
    this.issuer = pulumi.interpolate`https://cognito-idp.${deployment.region}.amazonaws.com/${pool.id}`;
    this.url = pulumi.interpolate`https://${domain.domain}.auth.${deployment.region}.amazoncognito.com`;
    this.registerOutputs({ userPoolId: this.userPoolId });
  }

  /** Lets an application at this address sign people in; returns its client id. */
  admit(application: string, url: pulumi.Input<string>): pulumi.Output<string> {
    return new cognito.UserPoolClient(
      application,
      {
        name: application,
        userPoolId: this.userPoolId,
        generateSecret: false,
        allowedOauthFlowsUserPoolClient: true,
        allowedOauthFlows: ["code"],
        allowedOauthScopes: ["openid", "email", "profile"],
        supportedIdentityProviders: ["COGNITO"],
        explicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH"],
        callbackUrls: [pulumi.interpolate`${url}/`],
        logoutUrls: [pulumi.interpolate`${url}/`],
        preventUserExistenceErrors: "ENABLED",
        enableTokenRevocation: true,
        accessTokenValidity: 60,
        idTokenValidity: 60,
        refreshTokenValidity: 12,
        tokenValidityUnits: { accessToken: "minutes", idToken: "minutes", refreshToken: "hours" },
      },
      { parent: this },
    ).id;
  }
}
