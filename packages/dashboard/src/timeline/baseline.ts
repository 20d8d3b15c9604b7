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
      // Events may know agents that the snapshot omits.
      ...(node.paused && queued !== undefined ? { queued } : {}),
      ...(circuit && circuit.state === node.circuit ? { circuit } : {}),
    });
  }
  return { ...state, agents, nodes, edges };
}

/**
 * Returns the base state of a log whose beginning is missing, so that its fold counts what the server counts.
 *
 * @param base the state before the first event.
 * @param folded the fold of the base state up to the snapshot's seq.
 */
export function baseOf(base: FlockState, folded: FlockState, { nodes, edges }: GraphSnapshot): FlockState {
  const agents = new Map(base.agents);
  for (const node of nodes) {
    if (node.type !== "agent") continue;
    const counted = folded.agents.get(node.id)?.counters;
    const before = base.agents.get(node.id)?.counters;
    const counters = { ...node.counters };
    for (const name of Object.keys(counters) as (keyof AgentCounters)[]) {
      // The server has counted the events of the fold too.
      counters[name] = Math.max(0, counters[name] - ((counted?.[name] ?? 0) - (before?.[name] ?? 0)));
    }
    const { paused, circuit, ...agent } = agentOf(node);
    const after = folded.agents.get(node.id);
    agents.set(node.id, {
      ...agent,
      status: counters.running > 0 ? "running" : "idle",
      counters,
      // Without a later event, this was so before.
      ...(paused && !after?.paused ? { paused } : {}),
      ...(circuit && !after?.circuit ? { circuit } : {}),
    });
  }
  return { ...base, agents, nodes, edges };
}

/** Returns a state's agents and edges without any activity. */
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
 * Returns a state after a gap. The outcome of running runs is unknown. One that is still running reappears when it
 * ends.
 */
export function afterGap(state: FlockState): FlockState {
  return { ...state, runs: new Map([...state.runs].filter(([, { status }]) => status !== "running")) };
}

/** Whether an event ends a run that started before all known events. Only the server can count it. */
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
