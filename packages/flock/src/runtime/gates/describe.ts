import type { SubscriptionInfo } from "@flock-ts/protocol";
import type { Subscription } from "../../agents/subscription.ts";
import { isoTime } from "../../core/time.ts";
import type { GateState } from "./gate.ts";
/** Converts a subscription to its wire form, with the state of its gate, if it has one. */
export function describeSubscription(subscription: Subscription, state?: GateState): SubscriptionInfo {
  const { withinMs, withinArtifacts, batch, maxWaiting } = subscription;
  return {
    gate: subscription.gate,
    requires: Object.fromEntries(subscription.requires),
    tags: [...subscription.tags],
    join: subscription.join,
    filtered: subscription.isFiltered,
    ...(Number.isFinite(withinMs) ? { within_ms: withinMs } : {}),
    ...(Number.isFinite(withinArtifacts) ? { within_artifacts: withinArtifacts } : {}),
    ...(batch
      ? { batch: { size: batch.size, ...(Number.isFinite(batch.timeout) ? { timeout_ms: batch.timeout } : {}) } }
      : {}),
    ...(state ? { waiting: waitingOf(state, maxWaiting) } : {}),
  };
}

function waitingOf({ deadline, ...counts }: GateState, max: number): SubscriptionInfo["waiting"] {
  return { ...counts, max, ...(Number.isFinite(deadline) ? { next_expires_at: isoTime(deadline) } : {}) };
}
