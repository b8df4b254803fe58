import { ONLY_TLS } from "../policies.ts";
import type { Clients } from "./clients.ts";

// Inputs come as the program wrote them, of any type.
export type Inputs = Record<string, any>;

export interface Created {
  id: string;
  /** What the service says of the resource, beside what it was asked for. */
  outputs?: Record<string, unknown>;
}

/** How one type of resource of the program is created with the SDK. */
export interface ResourceType {
  /** The inputs that `create` passes on: any other fails the deployment, so that nothing is dropped in silence. */
  passes: string[];
  /** Inputs that the emulator has no use for, or cannot take, with the reason. */
  leavesOut?: Record<string, string>;
  create(inputs: Inputs, aws: Clients, settings: EmulatorSettings): Promise<Created>;
}

export interface EmulatorSettings {
  /** Added to every function's environment. */
  functionEnvironment: Record<string, string>;
}

/** Fails where the service did not answer with what it always answers with. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) {
    throw new Error(`the emulator answered without ${what}`);
  }
  return value;
}

export function tagList(inputs: Inputs): { Key: string; Value: string }[] {
  return Object.entries((inputs.tags ?? {}) as Record<string, string>).map(([Key, Value]) => ({ Key, Value }));
}

/** The emulator speaks plain HTTP, so a policy that refuses plain HTTP would refuse every function everything. */
export function overPlainHttp(policy: string): string {
  const document = JSON.parse(policy) as { Statement: { Sid?: string }[] };
  return JSON.stringify({ ...document, Statement: document.Statement.filter(({ Sid }) => Sid !== ONLY_TLS) });
}

/** A policy without statements is none. */
export function hasStatements(policy: string): boolean {
  return (JSON.parse(policy) as { Statement: unknown[] }).Statement.length > 0;
}
