import { type EventVisibility, type LastingVisibility, OWNER_ONLY, PUBLIC } from "@flock-ts/protocol";
import { GroupRefused, JoinExpired } from "./gate-drops.ts";
import { RunFailed } from "./run-failed.ts";

const TYPES = new Set<string>([RunFailed, JoinExpired, GroupRefused].map(({ typeName }) => typeName));

/** Returns whether artifacts include a report of the runtime. What follows from one is not reported, or it might not end. */
export function includesAlert(artifacts: readonly { readonly type: string }[]): boolean {
  return artifacts.some(({ type }) => TYPES.has(type));
}

/**
 * Returns the visibility of an artifact that reports something of this visibility. Several conditions that all must
 * hold are no visibility of an artifact: the owner alone may see it then.
 */
export function reportVisibility(visibility: EventVisibility | undefined = PUBLIC): LastingVisibility {
  return visibility.kind === "all" ? OWNER_ONLY : visibility;
}
