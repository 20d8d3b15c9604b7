import type { GraphSnapshot } from "../wire/graph.ts";
import { type FlockState, noCounters } from "./state.ts";

/** Returns the flow graph of a state, with the status and counters of each agent. */
export function graphOf(state: FlockState): GraphSnapshot {
  const nodes = state.nodes.map((node) => {
    const agent = state.agents.get(node.id);
    return {
      ...node,
      status: agent?.status ?? ("idle" as const),
      counters: agent ? { ...agent.counters } : noCounters(),
      ...(agent?.paused ? { paused: true as const } : {}),
      ...(agent?.circuit ? { circuit: agent.circuit.state } : {}),
    };
  });
  return { nodes, edges: [...state.edges], seq: state.seq };
}
