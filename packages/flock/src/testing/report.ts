import type { EventOf, FlockEvent } from "@flock-ts/protocol";

/** Maximum number of lines per section. The first failures are the most informative. */
const MAX_LINES = 10;
const MAX_PAYLOAD = 120;

/** Summarizes events for a failed expectation. */
export function reportOf(events: readonly FlockEvent[]): string {
  const published: string[] = [];
  const failed: string[] = [];
  const running = new Map<string, string>();
  const gates = new Map<string, EventOf<"gate_progress">>();
  for (const event of events) {
    switch (event.type) {
      case "artifact_published":
        if (!event.revealed) published.push(`${event.artifact_type} ${payloadOf(event)} by ${event.produced_by}`);
        break;
      case "agent_execution_started":
        running.set(event.run_id, event.agent_id);
        break;
      case "agent_execution_completed":
        running.delete(event.run_id);
        if (event.status !== "success") failed.push(failureOf(event));
        break;
      case "gate_progress":
        gates.set(JSON.stringify([event.agent_id, event.gate, event.key]), event);
        break;
    }
  }
  return [
    part("Published", published, "nothing"),
    part("Failed", failed, "no run"),
    ...(running.size > 0 ? [part("Still running", [...running.values()], "")] : []),
    part("Waiting", [...gates.values()].flatMap(waitOf), "nothing"),
  ].join("\n");
}

function part(title: string, lines: readonly string[], none: string): string {
  if (lines.length === 0) return `${title}: ${none}`;
  const shown = lines.slice(0, MAX_LINES).map((line) => `  ${line}`);
  const rest = lines.length - shown.length;
  return [`${title}:`, ...shown, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join("\n");
}

function payloadOf({ payload, payload_bytes }: EventOf<"artifact_published">): string {
  if (payload_bytes !== undefined) return `(${payload_bytes} bytes)`;
  const json = JSON.stringify(payload);
  return json.length > MAX_PAYLOAD ? `${json.slice(0, MAX_PAYLOAD)}…` : json;
}

function failureOf({ agent_id, status, error }: EventOf<"agent_execution_completed">): string {
  return `${agent_id} (${status})${error ? `: ${error.name}: ${error.message}` : ""}`;
}

/** Describes a gate that is partly filled; returns nothing for an empty or just completed one. */
function waitOf({ agent_id, gate, key, collected, required, expires_at }: EventOf<"gate_progress">): string[] {
  const has = Object.entries(collected).flatMap(([type, n]) => (n > 0 ? `${n} × ${type}` : []));
  const missing = Object.entries(required).flatMap(([type, n]) => {
    const rest = n - (collected[type] ?? 0);
    return rest > 0 ? `${rest} × ${type}` : [];
  });
  if (has.length === 0 || missing.length === 0) return [];
  const of = key === undefined ? "" : ` of key ${JSON.stringify(key)}`;
  const until = expires_at === undefined ? "" : ` until ${expires_at}`;
  return [`${agent_id}, gate ${gate}${of}: has ${has.join(" + ")}, waits for ${missing.join(" + ")}${until}`];
}
