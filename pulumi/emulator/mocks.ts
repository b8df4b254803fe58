import type * as pulumi from "@pulumi/pulumi";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { alarms } from "./alarms.ts";
import { ACCOUNT, REGION, type Clients } from "./clients.ts";
import { compute } from "./compute.ts";
import { edge } from "./edge.ts";
import { messaging } from "./messaging.ts";
import { people } from "./people.ts";
import { queries } from "./queries.ts";
import type { Created, EmulatorSettings, Inputs, ResourceType } from "./resource_type.ts";
import { storage } from "./storage.ts";

const types: Record<string, ResourceType> = {
  ...storage,
  ...messaging,
  ...compute,
  ...queries,
  ...people,
  ...edge,
  ...alarms,
};

/** Stands in for Pulumi's engine: creates each resource in the emulator and answers with what the emulator says of it. */
export class EmulatorMocks implements pulumi.runtime.Mocks {
  /** How many resources of each type there are. */
  readonly counts: Record<string, number> = {};
  /** What went wrong, with the resource's name and the service's words. */
  readonly failures: string[] = [];

  constructor(
    private readonly aws: Clients,
    private readonly settings: EmulatorSettings,
  ) {}

  async newResource(args: pulumi.runtime.MockResourceArgs): Promise<pulumi.runtime.MockResourceResult> {
    const { type, name, inputs, custom } = args;
    if (!custom) {
      return { id: "", state: inputs };
    }
    try {
      const { id, outputs } = await this.create(type, inputs);
      this.counts[type] = (this.counts[type] ?? 0) + 1;
      return { id, state: { ...inputs, ...outputs } };
    } catch (error) {
      this.failures.push(`${type} \`${name}\`: ${words(error)}`);
      throw error;
    }
  }

  async call({ token }: pulumi.runtime.MockCallArgs): Promise<pulumi.runtime.MockCallResult> {
    switch (token) {
      case "aws:index/getCallerIdentity:getCallerIdentity": {
        const { Account, Arn, UserId } = await this.aws.sts.send(new GetCallerIdentityCommand({}));
        if (Account !== ACCOUNT) {
          this.failures.push(`the emulator is account ${Account}; start it without MINISTACK_ACCOUNT_ID`);
        }
        return { accountId: Account, arn: Arn, userId: UserId, id: Account };
      }
      case "aws:index/getRegion:getRegion":
        return { region: REGION, id: REGION };
      default:
        this.failures.push(`${token}: emulator/mocks.ts does not know this call`);
        throw new Error(`unknown call ${token}`);
    }
  }

  private create(type: string, inputs: Inputs): Promise<Created> {
    const refused = refusal(type, inputs);
    const resourceType = types[type];
    if (refused || !resourceType) {
      throw new Error(refused);
    }
    return resourceType.create(inputs, this.aws, this.settings);
  }
}

/** Why such a resource cannot be created: nothing is left out without a reason that is written down. */
export function refusal(type: string, inputs: Inputs): string | undefined {
  const resourceType = types[type];
  if (!resourceType) {
    return "emulator/ does not know this type; say there how the SDK creates it";
  }
  const known = new Set([...resourceType.passes, ...Object.keys(resourceType.leavesOut ?? {})]);
  const unknown = Object.keys(inputs).filter((input) => inputs[input] !== undefined && !known.has(input));
  return unknown.length > 0
    ? `emulator/ does not pass on ${unknown.join(", ")}; pass it on, or say why it is left out`
    : undefined;
}

export function words(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
