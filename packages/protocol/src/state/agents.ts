/** Event handlers for agents. */
import type { EventOf } from "../wire/events.ts";
import type { AgentDraft, Draft } from "./draft.ts";

export function agentRegistered(draft: Draft, event: EventOf<"agent_registered">): void {
  const agent = draft.agent(event.agent_id);
  agent.description = event.description;
  agent.consumes = event.consumes;
  agent.publishes = event.publishes;
}

export function agentPaused(draft: Draft, { agent_id }: EventOf<"agent_paused">): void {
  draft.agent(agent_id).paused = true;
}

export function agentResumed(draft: Draft, { agent_id }: EventOf<"agent_resumed">): void {
  const { paused: _paused, queued: _queued, ...agent } = draft.agent(agent_id);
  draft.write("agents").set(agent_id, agent);
}

export function queueChanged(draft: Draft, { agent_id, queued }: EventOf<"agent_queue_changed">): void {
  draft.agent(agent_id).queued = queued;
}

export function circuitChanged(
  draft: Draft,
  { agent_id, state, failures, retry_at }: EventOf<"agent_circuit_changed">,
): void {
  const { circuit: before, ...rest } = draft.agent(agent_id);
  const agent: AgentDraft = rest;
  if (state !== "closed") {
    // Only the event that opens a circuit carries the count; it stays valid while the circuit is half open.
    const counted = failures ?? before?.failures;
    agent.circuit = {
      state,
      ...(counted === undefined ? {} : { failures: counted }),
      ...(retry_at === undefined ? {} : { retry_at }),
    };
  }
  draft.write("agents").set(agent_id, agent);
}
