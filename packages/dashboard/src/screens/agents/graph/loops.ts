import { Graph, graphlib } from "@dagrejs/dagre";
import type { Flow } from "./flows.ts";

/**
 * The flows of loops that go back: without them, everything flows on. A loop begins where something comes into it, and
 * where nothing does, with those that were declared first.
 *
 * @param ids who there is, as declared.
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

/** How many flows it takes to come to each. */
function stepsFrom(start: Iterable<string>, flows: readonly Flow[]): ReadonlyMap<string, number> {
  const targets = Map.groupBy(flows, ({ source }) => source);
  const steps = new Map<string, number>([...start].map((id) => [id, 0]));
  // What is added on the way is visited as well.
  for (const [id, step] of steps) {
    for (const { target } of targets.get(id) ?? []) if (!steps.has(target)) steps.set(target, step + 1);
  }
  return steps;
}
