import { existsSync, readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as cloudfront from "@pulumi/aws/cloudfront";
import * as s3 from "@pulumi/aws/s3";
import type { Deployment } from "../deployment.ts";
import { PrivateBucket } from "./PrivateBucket.ts";

export interface WebSiteArgs {
  deployment: Deployment;
  /** The built web application; without it there is a site without pages. */
  folder: string;
  /** Answers under `/api/` of the site, so that the application and its API have one origin. */
  apiUrl: pulumi.Output<string>;
}

/** The web application: CloudFront in front of a bucket that only this distribution reads, and of the API. */
export class WebSite extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  readonly bucketName: pulumi.Output<string>;

  constructor(name: string, args: WebSiteArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mantissa:aws:WebSite", name, {}, opts);
    const { deployment } = args;
    const bucket = new PrivateBucket(
      name,
      // CloudFront hands these files to everybody, so S3's own key does; they are built anew, so nothing keeps them.
      { deployment, encryption: undefined, holds: name, protect: false, policy: "set later" },
      { parent: this },
    );
    const distribution = this.distribute(name, deployment, bucket, args.apiUrl);
    bucket.setPolicy([
      {
        Principal: { Service: "cloudfront.amazonaws.com" },
        Action: "s3:GetObject",
        Resource: pulumi.interpolate`${bucket.arn}/*`,
        Condition: { StringEquals: { "aws:SourceArn": distribution.arn } },
      },
    ]);
    this.upload(name, deployment, args.folder, bucket);
    this.bucketName = bucket.name;
    this.url = pulumi.interpolate`https://${distribution.domainName}`;
    this.registerOutputs({ url: this.url });
  }

  private distribute(
    name: string,
    deployment: Deployment,
    bucket: PrivateBucket,
    apiUrl: pulumi.Output<string>,
  ): cloudfront.Distribution {
    const parent = { parent: this };
    const access = new cloudfront.OriginAccessControl(
      name,
      {
        name: deployment.name(name),
        originAccessControlOriginType: "s3",
        signingBehavior: "always",
        signingProtocol: "sigv4",
      },
      parent,
    );
    const pages = new cloudfront.Function(
      name,
      { name: deployment.name("pages"), runtime: "cloudfront-js-2.0", publish: true, code: ONE_PAGE },
      parent,
    );
    const headers = new cloudfront.ResponseHeadersPolicy(
      name,
      {
        name: deployment.name(name),
        securityHeadersConfig: {
          strictTransportSecurity: { accessControlMaxAgeSec: 31_536_000, includeSubdomains: true, override: true },
          contentTypeOptions: { override: true },
          frameOptions: { frameOption: "DENY", override: true },
          referrerPolicy: { referrerPolicy: "same-origin", override: true },
          contentSecurityPolicy: {
            contentSecurityPolicy:
              "default-src 'self'; connect-src 'self' https://*.amazoncognito.com; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
            override: true,
          },
        },
      },
      parent,
    );
    const onlyHttps = { viewerProtocolPolicy: "redirect-to-https", compress: true };
    return new cloudfront.Distribution(
      name,
      {
        comment: deployment.name(name),
        enabled: true,
        isIpv6Enabled: true,
        httpVersion: "http2and3",
        priceClass: "PriceClass_100",
        defaultRootObject: "index.html",
        origins: [
          { originId: "pages", domainName: bucket.domainName, originAccessControlId: access.id },
          {
            originId: "api",
            domainName: apiUrl.apply((url) => url.replace(/^https?:\/\//, "")),
            customOriginConfig: {
              httpPort: 80,
              httpsPort: 443,
              originProtocolPolicy: "https-only",
              originSslProtocols: ["TLSv1.2"],
            },
          },
        ],
        defaultCacheBehavior: {
          ...onlyHttps,
          targetOriginId: "pages",
          allowedMethods: ["GET", "HEAD", "OPTIONS"],
          cachedMethods: ["GET", "HEAD"],
          cachePolicyId: CACHING_OPTIMIZED,
          responseHeadersPolicyId: headers.id,
          functionAssociations: [{ eventType: "viewer-request", functionArn: pages.arn }],
        },
        orderedCacheBehaviors: [
          {
            ...onlyHttps,
            pathPattern: "/api/*",
            targetOriginId: "api",
            allowedMethods: ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            cachedMethods: ["GET", "HEAD"],
            cachePolicyId: CACHING_DISABLED,
            originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
            responseHeadersPolicyId: headers.id,
          },
        ],
        restrictions: { geoRestriction: { restrictionType: "none" } },
        viewerCertificate: { cloudfrontDefaultCertificate: true },
        tags: deployment.tags("WebSite"),
      },
      parent,
    );
  }

  private upload(name: string, deployment: Deployment, folder: string, bucket: PrivateBucket): void {
    if (!existsSync(folder)) {
      return;
    }
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      statSync(path.join(folder, file)).isFile(),
    );
    for (const file of files) {
      const key = file.split(path.sep).join("/");
      new s3.BucketObjectv2(
        `${name}/${key}`,
        {
          bucket: bucket.name,
          key,
          source: new pulumi.asset.FileAsset(path.join(folder, file)),
          contentType: CONTENT_TYPES[path.extname(file)] ?? "application/octet-stream",
          // Built files carry a hash in their names; pages that name them do not.
          cacheControl: key.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
          tags: deployment.tags("WebSite"),
        },
        { parent: this },
      );
    }
  }
}

// Policies that AWS manages; their ids are the same in every account.
const CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

/** The application makes its pages itself: every path without a file's ending is `index.html`. */
const ONE_PAGE = `function handler(event) {
  var request = event.request;
  if (request.uri.lastIndexOf('.') <= request.uri.lastIndexOf('/')) {
    request.uri = '/index.html';
  }
  return request;
}
`;

const CONTENT_TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
