import { GroupRefused, JoinExpired } from "./gate-drops.ts";
import { RunFailed } from "./run-failed.ts";

const TYPES = new Set<string>([RunFailed, JoinExpired, GroupRefused].map(({ typeName }) => typeName));

/** Returns whether artifacts include a report of the runtime. What follows from one is not reported, or it might not end. */
export function includesAlert(artifacts: readonly { readonly type: string }[]): boolean {
  return artifacts.some(({ type }) => TYPES.has(type));
}
