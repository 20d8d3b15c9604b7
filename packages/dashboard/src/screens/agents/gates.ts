import type { FlockState, GateState } from "@flock-ts/protocol";

/** Cached for each change of the gates, because every box of the graph needs its own. */
const gathered = new WeakMap<FlockState["gates"], ReadonlyMap<string, readonly GateState[]>>();

/** Returns the open gates by agent, the newest last. */
export function openGates(gates: FlockState["gates"]): ReadonlyMap<string, readonly GateState[]> {
  let open = gathered.get(gates);
  if (!open) gathered.set(gates, (open = Map.groupBy(gates.values(), ({ agent_id }) => agent_id)));
  return open;
}
