/** Event handler for gates. */
import type { EventOf } from "../wire/events.ts";
import { type Draft, evictOldest } from "./draft.ts";
import type { StateLimits } from "./state.ts";

export function gateProgressed(draft: Draft, event: EventOf<"gate_progress">, limits: StateLimits): void {
  if (limits.gates === 0) return;
  const gates = draft.write("gates");
  const key = JSON.stringify([event.agent_id, event.gate, event.key ?? null]);
  // Deleted first, so that the order of the map is the order of the newest progress.
  gates.delete(key);
  const isComplete = Object.entries(event.required).every(([type, wanted]) => (event.collected[type] ?? 0) >= wanted);
  const isEmpty = Object.values(event.collected).every((collected) => collected === 0);
  if (!isComplete && !isEmpty) gates.set(key, event);
  evictOldest(gates, limits.gates);
}
