import {
  type AgentCounters,
  type AgentState,
  type FlockState,
  type GraphSnapshot,
  graphOf,
  noCounters,
} from "@flock-ts/protocol";
import type { LogEntry } from "./log.ts";

/** A state whose agents, counters and flow are the server's. */
export function withGraph(state: FlockState, { nodes, edges }: GraphSnapshot): FlockState {
  const agents = new Map(state.agents);
  for (const node of nodes) {
    if (node.type !== "agent") continue;
    const { paused: _paused, queued, circuit, ...known } = agents.get(node.id) ?? {};
    agents.set(node.id, {
      ...known,
      ...agentOf(node),
      // What the snapshot is silent about may be known from events.
      ...(node.paused && queued !== undefined ? { queued } : {}),
      ...(circuit && circuit.state === node.circuit ? { circuit } : {}),
    });
  }
  return { ...state, agents, nodes, edges };
}

/**
 * What a log whose beginning is not here begins with, so that its fold counts what the server counts.
 *
 * @param base the state before the first event.
 * @param folded what the fold makes of it up to the snapshot's seq.
 */
export function baseOf(base: FlockState, folded: FlockState, { nodes, edges }: GraphSnapshot): FlockState {
  const agents = new Map(base.agents);
  for (const node of nodes) {
    if (node.type !== "agent") continue;
    const counted = folded.agents.get(node.id)?.counters;
    const before = base.agents.get(node.id)?.counters;
    const counters = { ...node.counters };
    for (const name of Object.keys(counters) as (keyof AgentCounters)[]) {
      // What the fold counts from here on, the server has counted too.
      counters[name] = Math.max(0, counters[name] - ((counted?.[name] ?? 0) - (before?.[name] ?? 0)));
    }
    const { paused, circuit, ...agent } = agentOf(node);
    const after = folded.agents.get(node.id);
    agents.set(node.id, {
      ...agent,
      status: counters.running > 0 ? "running" : "idle",
      counters,
      // Unless an event from here on tells of it, it was so before.
      ...(paused && !after?.paused ? { paused } : {}),
      ...(circuit && !after?.circuit ? { circuit } : {}),
    });
  }
  return { ...base, agents, nodes, edges };
}

/** The agents of a state, and what flows between them, as if nothing had been done yet. */
export function idleGraph(state: FlockState): GraphSnapshot {
  const { nodes, ...graph } = graphOf(state);
  return {
    ...graph,
    nodes: nodes.map(({ paused: _paused, circuit: _circuit, ...node }) => ({
      ...node,
      status: "idle",
      counters: noCounters(),
    })),
  };
}

function agentOf(node: GraphSnapshot["nodes"][number]): AgentState {
  return {
    agent_id: node.id,
    description: node.description ?? "",
    consumes: node.consumes,
    publishes: node.publishes,
    status: node.status,
    counters: node.counters,
    ...(node.paused ? { paused: true as const } : {}),
    ...(node.circuit ? { circuit: { state: node.circuit } } : {}),
  };
}

/**
 * A state after a gap. How the runs ended that were running before it nobody here can know; one that does still run
 * appears again when it ends.
 */
export function afterGap(state: FlockState): FlockState {
  return { ...state, runs: new Map([...state.runs].filter(([, { status }]) => status !== "running")) };
}

/** Whether a run has ended that began before everything we know: only the server can count it. */
export function endsUnknownRun(state: FlockState, arrived: readonly LogEntry[]): boolean {
  const begun = new Set<string>();
  for (const event of arrived) {
    if (event.type === "agent_execution_started") begun.add(event.run_id);
    if (event.type === "agent_execution_completed" && !begun.has(event.run_id) && !state.runs.has(event.run_id)) {
      return true;
    }
  }
  return false;
}
