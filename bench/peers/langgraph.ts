// LangGraph: a compiled StateGraph without state validation or tracing.
import { Annotation, END, START as ENTRY, MemorySaver, StateGraph } from "@langchain/langgraph";
import { answerWith, inGroups, times, type Work } from "../programs/program.ts";
import { CHAINS_AT_ONCE, chainOf, checked, FAN_OUTS_AT_ONCE, fanOutOf, START, step } from "../programs/steps.ts";

answerWith({
  chain: (agents) => chain(agents),
  "chain, kept": (agents) => chain(agents, new MemorySaver()),
  "fan-out": (agents) => fanOut(agents),
  "fan-out, kept": (agents) => fanOut(agents, new MemorySaver()),
});

/** Nodes in sequence. */
function chain(agents: number, checkpointer?: MemorySaver): Work {
  const names = namesOf(agents);
  const graph = emptyGraph();
  for (const name of names) graph.addNode(name, ({ n }) => ({ n: step(n) }));
  for (const [i, name] of names.entries()) graph.addEdge(names[i - 1] ?? ENTRY, name);
  graph.addEdge(names.at(-1) as string, END);
  return checked(invoking(graph, 0, CHAINS_AT_ONCE, checkpointer), chainOf(agents));
}

/** Nodes that all follow the entry. */
function fanOut(agents: number, checkpointer?: MemorySaver): Work {
  const graph = emptyGraph();
  for (const name of namesOf(agents)) {
    graph.addNode(name, ({ n }) => {
      step(n);
      return {};
    });
    graph.addEdge(ENTRY, name);
    graph.addEdge(name, END);
  }
  return checked(invoking(graph, START, FAN_OUTS_AT_ONCE, checkpointer), fanOutOf(agents));
}

function namesOf(agents: number): string[] {
  return Array.from({ length: agents }, (_, i) => `a${i}`);
}

/** A graph's type contains the names of its nodes, which are only known at run time here. */
function emptyGraph() {
  const State = Annotation.Root({ n: Annotation<number> });
  return new StateGraph<typeof State.spec, typeof State.State, typeof State.Update, string>(State);
}

function invoking(
  graph: ReturnType<typeof emptyGraph>,
  n: number,
  atOnce: number,
  checkpointer: MemorySaver | undefined,
): Work {
  const runnable = graph.compile(checkpointer ? { checkpointer } : {});
  let threads = 0;
  return inGroups(atOnce, async (count) => {
    await times(count, () =>
      runnable.invoke({ n }, checkpointer ? { configurable: { thread_id: String(++threads) } } : {}),
    );
  });
}
