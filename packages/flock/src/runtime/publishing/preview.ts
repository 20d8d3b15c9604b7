import type { PreviewResult } from "@flock-ts/protocol";
import { isoTime } from "../../core/time.ts";
import type { GateProgress } from "../gates/gate.ts";
import type { DryRun } from "../gates/gates.ts";

/** Converts the dry runs of gates to their wire form. */
export function previewOf(dryRuns: readonly DryRun[]): PreviewResult {
  const gates = dryRuns.flatMap((one) => {
    if ("excluded" in one) return [];
    const { subscription, progress, wakes } = one;
    const { key, collected, required, expiresAt } = progress;
    return {
      agent_id: subscription.agentId,
      gate: subscription.gate,
      wakes,
      ...(key === undefined ? {} : { key }),
      collected,
      required,
      missing: wakes ? {} : missingOf(progress),
      ...(expiresAt === undefined ? {} : { expires_at: isoTime(expiresAt) }),
    };
  });
  return {
    triggered_agents: gates.flatMap(({ agent_id, wakes }) => (wakes ? [agent_id] : [])),
    gates,
    excluded: dryRuns.flatMap((one) =>
      "excluded" in one
        ? [{ agent_id: one.subscription.agentId, gate: one.subscription.gate, reason: one.excluded }]
        : [],
    ),
  };
}

function missingOf({ collected, required }: GateProgress): Record<string, number> {
  return Object.fromEntries(
    Object.entries(required)
      .map(([type, wanted]) => [type, wanted - (collected[type] ?? 0)] as const)
      .filter(([, missing]) => missing > 0),
  );
}
