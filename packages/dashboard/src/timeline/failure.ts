import type { FlockEvent } from "@flock-ts/protocol";

/** Whether an event reports a failed run. */
export function isFailure(event: FlockEvent): boolean {
  return event.type === "agent_execution_completed" && (event.status === "error" || event.status === "timeout");
}
