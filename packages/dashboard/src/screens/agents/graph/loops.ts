import { Graph, graphlib } from "@dagrejs/dagre";
import type { Flow } from "./flows.ts";

/**
 * Returns the backward flows of loops; without them the graph is acyclic. A loop starts at the nodes with external
 * inputs, or at its first declared node if there are none.
 *
 * @param ids all nodes, in the order of declaration.
 */
export function flowsBack(ids: readonly string[], flows: readonly Flow[]): ReadonlySet<Flow> {
  const order = new Map(ids.map((id, index) => [id, index]));
  const orderOf = (id: string) => order.get(id) as number;
  const graph = new Graph();
  for (const index of order.values()) graph.setNode(String(index));
  for (const { source, target } of flows) graph.setEdge(String(orderOf(source)), String(orderOf(target)));
  const back = new Set<Flow>();
  for (const loop of graphlib.alg.tarjan(graph) as string[][]) {
    if (loop.length === 1) continue;
    const members = new Set(loop.map((index) => ids[Number(index)] as string));
    const within = flows.filter(({ source, target }) => members.has(source) && members.has(target));
    const entries = flows.filter(({ source, target }) => members.has(target) && !members.has(source));
    const steps = stepsFrom(entries.length > 0 ? entries.map(({ target }) => target) : members, within);
    for (const flow of within) {
      const [from, to] = [flow.source, flow.target];
      const onward = (steps.get(to) as number) - (steps.get(from) as number) || orderOf(to) - orderOf(from);
      if (onward < 0) back.add(flow);
    }
  }
  return back;
}

/** Counts the flows from the starting nodes to each node. */
function stepsFrom(start: Iterable<string>, flows: readonly Flow[]): ReadonlyMap<string, number> {
  const targets = Map.groupBy(flows, ({ source }) => source);
  const steps = new Map<string, number>([...start].map((id) => [id, 0]));
  // Nodes that are added during the iteration are visited too.
  for (const [id, step] of steps) {
    for (const { target } of targets.get(id) ?? []) if (!steps.has(target)) steps.set(target, step + 1);
  }
  return steps;
}
