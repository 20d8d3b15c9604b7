import { type ProgramName, spentOn } from "../programs/spent.ts";
import { chainOf, fanOutOf } from "../programs/steps.ts";
import { counted } from "../report/text.ts";
import type { Figure, Figures } from "./figures.ts";
import { type Comparison, type Rows, type Suite, type Workload, workload } from "./suite.ts";

interface Load {
  /** Number of activations. */
  readonly activations: number;
}

const LOADS = { full: { activations: 50_000 }, quick: { activations: 10_000 }, tiny: { activations: 400 } };
/** LangGraph runs a fraction of the work, because all of it would take minutes. */
const PART_OF_LANGGRAPH = 1 / 5;

/** Rows by name: the program, and the suffix for its kind of persistence. */
const FLOCK = { "flock, memory": ["flock", ", memory"], "flock, SQLite": ["flock", ", sqlite"] } as const;
const ALL = {
  ...FLOCK,
  langgraph: ["langgraph", ""],
  "langgraph, checkpoints in memory": ["langgraph", ", kept"],
  mastra: ["mastra", ""],
  "mastra, snapshots in memory": ["mastra", ", kept"],
} as const;
type Sides = Readonly<Record<string, readonly [ProgramName, string]>>;

const INPUTS = 5;
const OPEN_KEYS = { full: [1_000, 100_000], quick: [1_000, 100_000], tiny: [100, 1_000] };
const STORES = { memory: ", memory", SQLite: ", sqlite" };

/** Measures the overhead of triggering an agent. */
export const suite: Suite = {
  name: "agents",
  about: "What does starting an agent cost, apart from its own work?",
  minutes: { full: 25, quick: 1 },
  workloads: [
    waking("one", "one agent", "chain", 1, ALL, besidePeers()),
    waking("chain", "a chain of 10 agents", "chain", 10, ALL, besidePeers("agents: a chain of 10")),
    waking("fanout", "one artifact wakes 100 agents", "fan-out", 100, ALL, besidePeers("agents: a fan-out of 100")),
    waking("gate", `one agent waits for all of ${INPUTS} artifacts`, "gate", INPUTS, FLOCK, []),
    workload({
      name: "join",
      loads: {
        full: { ...LOADS.full, open: OPEN_KEYS.full },
        quick: { ...LOADS.quick, open: OPEN_KEYS.quick },
        tiny: { ...LOADS.tiny, open: OPEN_KEYS.tiny },
      },
      title: ({ activations }) =>
        `two artifacts that meet by their key in one gate wake an agent, ${counted(activations)} times, while other keys stay open`,
      rounds: 5,
      columns: ["activations", "micros", "cpuMicros"],
      comparisons: Object.keys(STORES).map((store) => ({
        what: `cost of an activation, 100,000 open keys to 1,000, ${store}`,
        of: [keysOf(store, 100_000), "cpuMicros"],
        to: [keysOf(store, 1_000), "cpuMicros"],
        target: { atMost: 1.3 },
      })),
      rows: ({ activations, open }) =>
        Object.fromEntries(
          Object.entries(STORES).flatMap(([store, kept]) =>
            open.map((keys) => [
              keysOf(store, keys),
              () => measure("flock", `join${kept}`, keys, activations, activations),
            ]),
          ),
        ),
    }),
  ],
};

/** Creates a workload that triggers many agents, or one agent with many artifacts. */
function waking(
  name: string,
  title: string,
  what: "chain" | "fan-out" | "gate",
  agents: number,
  sides: Sides,
  comparisons: readonly Comparison[],
): Workload {
  const { steps } = { chain: chainOf(agents), "fan-out": fanOutOf(agents), gate: { steps: 1 } }[what];
  return workload<Load>({
    name,
    loads: LOADS,
    title: ({ activations }) => `${title}, ${counted(activations)} activations in all`,
    rounds: 5,
    columns: ["activations", "micros", "cpuMicros"],
    comparisons,
    rows: ({ activations }): Rows =>
      Object.fromEntries(
        Object.entries(sides).map(([row, [program, kept]]) => {
          const part = program === "langgraph" ? PART_OF_LANGGRAPH : 1;
          const workflows = Math.max(1, Math.round((activations * part) / steps));
          return [row, () => measure(program, `${what}${kept}`, agents, workflows, workflows * steps)];
        }),
      ),
  });
}

async function measure(
  program: ProgramName,
  what: string,
  among: number,
  count: number,
  activations: number,
): Promise<Figures> {
  const { elapsedMs, cpuMs } = await spentOn(program, { what, count, among });
  return {
    activations: (activations / elapsedMs) * 1_000,
    micros: (elapsedMs / activations) * 1_000,
    cpuMicros: (cpuMs / activations) * 1_000,
  };
}

/** Compares Flock in memory with peers without persistence, and with peers that keep as much as Flock. */
function besidePeers(chart?: string): Comparison[] {
  const peers = Object.keys(ALL).filter((row) => !(row in FLOCK));
  return [
    ...peers.map((row) => ({
      ...flockInMemoryTo(row, "activations per second", "activations"),
      target: { atLeast: 10 },
      ...(chart === undefined || row.includes(",") ? {} : { chart }),
    })),
    // CPU time is more reliable on a busy machine.
    ...peers.map((row) => flockInMemoryTo(row, "CPU time of an activation", "cpuMicros")),
  ];
}

function flockInMemoryTo(row: string, what: string, figure: Figure): Comparison {
  return { what: `${what}, Flock in memory to ${row}`, of: ["flock, memory", figure], to: [row, figure] };
}

function keysOf(store: string, open: number): string {
  return `${store}, ${counted(open)} open keys`;
}
