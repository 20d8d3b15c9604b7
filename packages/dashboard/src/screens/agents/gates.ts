import type { FlockState, GateState } from "@flock-ts/protocol";

/** Every box of the graph asks for its own: gathered once for each change of the gates. */
const gathered = new WeakMap<FlockState["gates"], ReadonlyMap<string, readonly GateState[]>>();

/** The gates that wait for something, by agent, the newest last. */
export function openGates(gates: FlockState["gates"]): ReadonlyMap<string, readonly GateState[]> {
  let open = gathered.get(gates);
  if (!open) gathered.set(gates, (open = Map.groupBy(gates.values(), ({ agent_id }) => agent_id)));
  return open;
}
