import { type FlockEvent, type FlockState, type GraphSnapshot, reduceAll } from "@flock/protocol";

/**
 * Folds events that have arrived, and takes the server's snapshot in at exactly the `seq` that it stands at: an event
 * is counted by the snapshot or by the fold, never by both.
 *
 * @returns the state, and the snapshot if its time has not come yet.
 */
export function foldWithSnapshot(
  state: FlockState,
  arrived: readonly FlockEvent[],
  snapshot: GraphSnapshot | null,
): { readonly state: FlockState; readonly snapshot: GraphSnapshot | null } {
  if (!snapshot) return { state: reduceAll(state, arrived), snapshot };
  const split = arrived.findIndex(({ seq }) => seq > snapshot.seq);
  const before = reduceAll(state, split < 0 ? arrived : arrived.slice(0, split));
  if (split < 0 && before.seq < snapshot.seq) return { state: before, snapshot };
  return { state: reduceAll(withGraph(before, snapshot), split < 0 ? [] : arrived.slice(split)), snapshot: null };
}

/** A state whose agents, counters and flow are the server's. */
export function withGraph(state: FlockState, { nodes, edges }: GraphSnapshot): FlockState {
  const agents = new Map(state.agents);
  for (const node of nodes) {
    if (node.type !== "agent") continue;
    agents.set(node.id, {
      ...agents.get(node.id),
      agent_id: node.id,
      description: node.description ?? "",
      consumes: node.consumes,
      publishes: node.publishes,
      status: node.status,
      counters: node.counters,
    });
  }
  return { ...state, agents, nodes, edges };
}

/**
 * A state after a gap. How the runs ended that were running before it nobody here can know; one that does still run
 * appears again when it ends.
 */
export function afterGap(state: FlockState): FlockState {
  return { ...state, runs: new Map([...state.runs].filter(([, { status }]) => status !== "running")) };
}

/** Whether a run has ended that began before everything we know: only the server can count it. */
export function endsUnknownRun(state: FlockState, arrived: readonly FlockEvent[]): boolean {
  const begun = new Set<string>();
  for (const event of arrived) {
    if (event.type === "agent_execution_started") begun.add(event.run_id);
    if (event.type === "agent_execution_completed" && !begun.has(event.run_id) && !state.runs.has(event.run_id)) {
      return true;
    }
  }
  return false;
}
