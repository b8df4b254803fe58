import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { test } from "node:test";
import { Api } from "../components/Api.ts";
import { PipelineStage } from "../components/PipelineStage.ts";
import { SignIn } from "../components/SignIn.ts";
import { WebSite } from "../components/WebSite.ts";
import { Deployment } from "../deployment.ts";
import { someFunction, someSettings, someSurroundings, STACK } from "./builders.ts";
import { all, only, record, statements } from "./record.ts";

function aSite(folder: string): WebSite {
  const apiUrl = pulumi.output("https://api-id.execute-api.eu-central-1.amazonaws.com");
  return new WebSite("web", { deployment: new Deployment(STACK), folder, apiUrl });
}

test("nobody signs themselves up, and everybody has a second factor", async () => {
  const { resources } = await record(
    STACK,
    () => new SignIn("sign-in", { deployment: new Deployment(STACK), protect: true }),
  );
  const { inputs, protect } = only(resources, "aws:cognito/userPool:UserPool");
  assert.equal(inputs["adminCreateUserConfig"].allowAdminCreateUserOnly, true);
  assert.equal(inputs["mfaConfiguration"], "ON");
  assert.deepEqual([inputs["deletionProtection"], protect], ["ACTIVE", true]);
});

test("the web application signs people in with a code, holds no secret, and is only where it is", async () => {
  const { resources } = await record(STACK, () => {
    const signIn = new SignIn("sign-in", { deployment: new Deployment(STACK), protect: false });
    return signIn.admit("web", "https://site.example.com");
  });
  const { inputs } = only(resources, "aws:cognito/userPoolClient:UserPoolClient");
  assert.deepEqual(inputs["allowedOauthFlows"], ["code"]);
  assert.equal(inputs["generateSecret"], false);
  assert.deepEqual(inputs["callbackUrls"], ["https://site.example.com/"]);
});

test("every route asks for a token of our issuer", async () => {
  const { resources } = await record(STACK, () => {
    const around = someSurroundings();
    const stage = new PipelineStage("api", { spec: someFunction({ name: "api", http: true }), around });
    new Api("api", { around, stage }).answer("https://issuer.example.com", "client");
  });
  const routes = all(resources, "aws:apigatewayv2/route:Route");
  assert.deepEqual(
    routes.map(({ inputs }) => [inputs["routeKey"], inputs["authorizationType"]]),
    [["ANY /api/{proxy+}", "JWT"]],
  );
  assert.deepEqual(only(resources, "aws:apigatewayv2/authorizer:Authorizer").inputs["jwtConfiguration"], {
    issuer: "https://issuer.example.com",
    audiences: ["client"],
  });
});

test("every request is in the access log", async () => {
  const { resources } = await record(STACK, () => {
    const around = someSurroundings();
    const stage = new PipelineStage("api", { spec: someFunction({ name: "api", http: true }), around });
    return new Api("api", { around, stage });
  });
  const { accessLogSettings } = only(resources, "aws:apigatewayv2/stage:Stage").inputs;
  assert.match(accessLogSettings.destinationArn, /log-group:\/aws\/apigateway\/mantissa-test-api$/);
  assert.equal(JSON.parse(accessLogSettings.format).subject, "$context.authorizer.claims.sub");
});

test("only this distribution reads the site's bucket", async () => {
  const { resources } = await record(STACK, () => aSite(someSettings().webFolder));
  const policy = only(resources, "aws:s3/bucketPolicy:BucketPolicy");
  const allowed = statements(policy.inputs["policy"]).filter(({ Effect }) => Effect === "Allow");
  assert.deepEqual(allowed, [
    {
      Effect: "Allow",
      Principal: { Service: "cloudfront.amazonaws.com" },
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::mantissa-test-web-123456789012/*",
      Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/SITE" } },
    },
  ]);
});

test("the application and its API have one origin, over HTTPS", async () => {
  const { resources } = await record(STACK, () => aSite(someSettings().webFolder));
  const { defaultCacheBehavior, orderedCacheBehaviors, origins } = only(
    resources,
    "aws:cloudfront/distribution:Distribution",
  ).inputs;
  assert.equal(defaultCacheBehavior.viewerProtocolPolicy, "redirect-to-https");
  assert.equal(orderedCacheBehaviors[0].pathPattern, "/api/*");
  assert.equal(origins[1].domainName, "api-id.execute-api.eu-central-1.amazonaws.com");
});

test("files with a hash in their names are kept by browsers, pages are asked for", async () => {
  const { resources } = await record(STACK, () => aSite(someSettings().webFolder));
  const cached = all(resources, "aws:s3/bucketObjectv2:BucketObjectv2").map(({ inputs }) => [
    inputs["key"],
    inputs["contentType"],
    inputs["cacheControl"],
  ]);
  assert.deepEqual(cached.sort(), [
    ["assets/index-4f2a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
    ["index.html", "text/html; charset=utf-8", "no-cache"],
  ]);
});

test("without a built application there is a site without pages", async () => {
  const { resources } = await record(STACK, () => aSite("nowhere"));
  assert.equal(all(resources, "aws:s3/bucketObjectv2:BucketObjectv2").length, 0);
  assert.equal(all(resources, "aws:cloudfront/distribution:Distribution").length, 1);
});
