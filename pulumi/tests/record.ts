import * as pulumi from "@pulumi/pulumi";

/** A resource as the program asked for it. */
export interface Recorded {
  type: string;
  name: string;
  // Inputs come as the program wrote them, of any type.
  inputs: Record<string, any>;
  /** Pulumi refuses to delete it. */
  protect: boolean;
}

export const ACCOUNT = "123456789012";
export const REGION = "eu-central-1";
export const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/the-key`;

/** What a program asks for, and what it gives back, under mocks that answer as AWS would. */
export async function record<T>(stack: string, program: () => T): Promise<{ resources: Recorded[]; result: T }> {
  const resources: Recorded[] = [];
  let protect = false;
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs, custom }) {
        if (!custom) {
          return { id: "", state: inputs };
        }
        resources.push({ type, name, inputs, protect });
        return { id: idOf(type, name, inputs), state: { ...outputs(type, name, inputs), ...inputs } };
      },
      call({ token }) {
        switch (token) {
          case "aws:index/getCallerIdentity:getCallerIdentity":
            return { accountId: ACCOUNT };
          case "aws:index/getRegion:getRegion":
            return { region: REGION };
          default:
            throw new Error(`tests/record.ts does not know the call ${token}`);
        }
      },
    },
    "mantissa",
    stack,
    false,
  );
  onRegistration((request) => (protect = request.getProtect() ?? false));
  const result = program();
  await pulumi.runtime.disconnect();
  return { resources, result };
}

interface Registration {
  getProtect(): boolean | undefined;
}

/** Sees what mocks are not told of a resource, just before they are told the rest. */
function onRegistration(see: (request: Registration) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Record<"registerResource", (...args: unknown[]) => unknown>;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    see(request as Registration);
    return register(request, ...rest);
  };
}

/** The only one of its type, or of its type and name. */
export function only(resources: Recorded[], type: string, name?: string): Recorded {
  const found = resources.filter((each) => each.type === type && (name === undefined || each.name === name));
  const [first, ...others] = found;
  if (!first || others.length > 0) {
    throw new Error(`${found.length} resources are ${type} ${name ?? ""}, not one`);
  }
  return first;
}

export function all(resources: Recorded[], type: string): Recorded[] {
  return resources.filter((each) => each.type === type);
}

/** A bucket's setting of this type. */
export function ofBucket(resources: Recorded[], type: string, bucket: Recorded): Recorded | undefined {
  return all(resources, type).find(({ inputs }) => inputs["bucket"] === bucket.inputs["bucket"]);
}

export interface PolicyStatement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: string | Record<string, string | string[]>;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export function statements(policy: string): PolicyStatement[] {
  return (JSON.parse(policy) as { Statement: PolicyStatement[] }).Statement;
}

export function value<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

function idOf(type: string, name: string, inputs: Record<string, unknown>): string {
  if (type === "aws:sqs/queue:Queue") {
    return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${String(inputs["name"])}`;
  }
  return `${name}-id`;
}

function outputs(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const called = String(inputs["name"] ?? inputs["bucket"] ?? name);
  const arn = (service: string, resource = called) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
  switch (type) {
    case "aws:sqs/queue:Queue":
      return { arn: arn("sqs"), url: idOf(type, name, inputs) };
    case "aws:sns/topic:Topic":
      return { arn: arn("sns") };
    case "aws:s3/bucket:Bucket":
      return { arn: `arn:aws:s3:::${called}`, bucketRegionalDomainName: `${called}.s3.${REGION}.amazonaws.com` };
    case "aws:dynamodb/table:Table":
      return { arn: arn("dynamodb", `table/${called}`) };
    case "aws:kms/key:Key":
      return { arn: KEY, keyId: "the-key" };
    case "aws:secretsmanager/secret:Secret":
      return { arn: arn("secretsmanager", `secret:${called}-AbCdEf`) };
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::${ACCOUNT}:role/${called}` };
    case "aws:lambda/function:Function":
      return { arn: arn("lambda", `function:${called}`), invokeArn: `arn:aws:apigateway:${called}` };
    case "aws:lambda/invocation:Invocation":
      return { result: JSON.stringify({ n_rules: 57, n_destinations: 2, problems: [] }) };
    case "aws:cloudwatch/logGroup:LogGroup":
      return { arn: arn("logs", `log-group:${called}`) };
    case "aws:cloudwatch/eventBus:EventBus":
      return { arn: arn("events", `event-bus/${called}`) };
    case "aws:cloudwatch/eventRule:EventRule":
      return { arn: arn("events", `rule/${called}`) };
    case "aws:sesv2/emailIdentity:EmailIdentity":
      return {
        arn: arn("ses", `identity/${inputs["emailIdentity"]}`),
        dkimSigningAttributes: { tokens: ["first", "second", "third"] },
      };
    case "aws:scheduler/scheduleGroup:ScheduleGroup":
      return { arn: arn("scheduler", `schedule-group/${called}`) };
    case "aws:athena/workgroup:Workgroup":
      return { arn: arn("athena", `workgroup/${called}`) };
    case "aws:apigatewayv2/api:Api":
      return {
        apiEndpoint: `https://api-id.execute-api.${REGION}.amazonaws.com`,
        executionArn: arn("execute-api", "api-id"),
      };
    case "aws:cloudfront/distribution:Distribution":
      return { arn: `arn:aws:cloudfront::${ACCOUNT}:distribution/SITE`, domainName: "site.cloudfront.net" };
    case "aws:cloudfront/function:Function":
      return { arn: `arn:aws:cloudfront::${ACCOUNT}:function/${called}` };
    default:
      return {};
  }
}
