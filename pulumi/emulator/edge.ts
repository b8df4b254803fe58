import {
  CreateDistributionWithTagsCommand,
  CreateFunctionCommand,
  CreateOriginAccessControlCommand,
  CreateResponseHeadersPolicyCommand,
  PublishFunctionCommand,
  type CacheBehavior,
  type DistributionConfig,
  type Method,
} from "@aws-sdk/client-cloudfront";
import { present, tagList, type Inputs, type ResourceType } from "./resource_type.ts";

/** CloudFront. */
export const edge: Record<string, ResourceType> = {
  "aws:cloudfront/originAccessControl:OriginAccessControl": {
    passes: ["name", "originAccessControlOriginType", "signingBehavior", "signingProtocol"],
    async create(inputs, { cloudfront }) {
      const OriginAccessControlConfig = {
        Name: inputs.name,
        OriginAccessControlOriginType: inputs.originAccessControlOriginType,
        SigningBehavior: inputs.signingBehavior,
        SigningProtocol: inputs.signingProtocol,
      };
      const answer = await cloudfront.send(new CreateOriginAccessControlCommand({ OriginAccessControlConfig }));
      return { id: present(answer.OriginAccessControl?.Id, "the access control's id") };
    },
  },
  "aws:cloudfront/function:Function": {
    passes: ["name", "runtime", "publish", "code"],
    async create(inputs, { cloudfront }) {
      const created = await cloudfront.send(
        new CreateFunctionCommand({
          Name: inputs.name,
          FunctionConfig: { Comment: "", Runtime: inputs.runtime },
          FunctionCode: Buffer.from(inputs.code),
        }),
      );
      if (inputs.publish) {
        await cloudfront.send(new PublishFunctionCommand({ Name: inputs.name, IfMatch: created.ETag }));
      }
      const arn = created.FunctionSummary?.FunctionMetadata?.FunctionARN;
      return { id: inputs.name, outputs: { arn: present(arn, "the function's ARN") } };
    },
  },
  "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {
    passes: ["name", "securityHeadersConfig"],
    async create(inputs, { cloudfront }) {
      const wanted = inputs.securityHeadersConfig as Inputs;
      const answer = await cloudfront.send(
        new CreateResponseHeadersPolicyCommand({
          ResponseHeadersPolicyConfig: {
            Name: inputs.name,
            SecurityHeadersConfig: {
              StrictTransportSecurity: {
                AccessControlMaxAgeSec: wanted.strictTransportSecurity.accessControlMaxAgeSec,
                IncludeSubdomains: wanted.strictTransportSecurity.includeSubdomains,
                Override: wanted.strictTransportSecurity.override,
              },
              ContentTypeOptions: { Override: wanted.contentTypeOptions.override },
              FrameOptions: {
                FrameOption: wanted.frameOptions.frameOption,
                Override: wanted.frameOptions.override,
              },
              ReferrerPolicy: {
                ReferrerPolicy: wanted.referrerPolicy.referrerPolicy,
                Override: wanted.referrerPolicy.override,
              },
              ContentSecurityPolicy: {
                ContentSecurityPolicy: wanted.contentSecurityPolicy.contentSecurityPolicy,
                Override: wanted.contentSecurityPolicy.override,
              },
            },
          },
        }),
      );
      return { id: present(answer.ResponseHeadersPolicy?.Id, "the policy's id") };
    },
  },
  "aws:cloudfront/distribution:Distribution": {
    passes: [
      "comment",
      "enabled",
      "isIpv6Enabled",
      "httpVersion",
      "priceClass",
      "defaultRootObject",
      "origins",
      "defaultCacheBehavior",
      "orderedCacheBehaviors",
      "restrictions",
      "viewerCertificate",
      "tags",
    ],
    async create(inputs, { cloudfront }) {
      const DistributionConfig: DistributionConfig = {
        CallerReference: inputs.comment,
        Comment: inputs.comment,
        Enabled: inputs.enabled,
        IsIPV6Enabled: inputs.isIpv6Enabled,
        HttpVersion: inputs.httpVersion,
        PriceClass: inputs.priceClass,
        DefaultRootObject: inputs.defaultRootObject,
        Origins: items((inputs.origins as Inputs[]).map(origin)),
        DefaultCacheBehavior: behaviour(inputs.defaultCacheBehavior),
        CacheBehaviors: items(
          (inputs.orderedCacheBehaviors as Inputs[]).map((each): CacheBehavior => ({
            PathPattern: each.pathPattern,
            ...behaviour(each),
          })),
        ),
        Restrictions: {
          GeoRestriction: { RestrictionType: inputs.restrictions.geoRestriction.restrictionType, Quantity: 0 },
        },
        ViewerCertificate: { CloudFrontDefaultCertificate: inputs.viewerCertificate.cloudfrontDefaultCertificate },
      };
      const answer = await cloudfront.send(
        new CreateDistributionWithTagsCommand({
          DistributionConfigWithTags: { DistributionConfig, Tags: { Items: tagList(inputs) } },
        }),
      );
      const distribution = present(answer.Distribution, "the distribution");
      return {
        id: present(distribution.Id, "the distribution's id"),
        outputs: { arn: distribution.ARN, domainName: present(distribution.DomainName, "the site's address") },
      };
    },
  },
};

function items<T>(all: T[]): { Quantity: number; Items: T[] } {
  return { Quantity: all.length, Items: all };
}

function origin(inputs: Inputs) {
  const custom = inputs.customOriginConfig as Inputs | undefined;
  return {
    Id: inputs.originId as string,
    DomainName: inputs.domainName as string,
    ...(custom
      ? {
          CustomOriginConfig: {
            HTTPPort: custom.httpPort,
            HTTPSPort: custom.httpsPort,
            OriginProtocolPolicy: custom.originProtocolPolicy,
            OriginSslProtocols: items(custom.originSslProtocols as "TLSv1.2"[]),
          },
        }
      : { OriginAccessControlId: inputs.originAccessControlId, S3OriginConfig: { OriginAccessIdentity: "" } }),
  };
}

function behaviour(inputs: Inputs) {
  return {
    TargetOriginId: inputs.targetOriginId,
    ViewerProtocolPolicy: inputs.viewerProtocolPolicy,
    Compress: inputs.compress,
    AllowedMethods: {
      ...items(inputs.allowedMethods as Method[]),
      CachedMethods: items(inputs.cachedMethods as Method[]),
    },
    CachePolicyId: inputs.cachePolicyId,
    OriginRequestPolicyId: inputs.originRequestPolicyId,
    ResponseHeadersPolicyId: inputs.responseHeadersPolicyId,
    FunctionAssociations: items(
      ((inputs.functionAssociations ?? []) as Inputs[]).map((each) => ({
        EventType: each.eventType,
        FunctionARN: each.functionArn,
      })),
    ),
  };
}
