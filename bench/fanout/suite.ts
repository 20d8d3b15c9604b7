import { type ChildProcess, fork } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type FromLoad, type FromServer, PEERS, type Peer, type ToLoad, type ToServer } from "./messages.ts";
import { median } from "./statistics.ts";

/** One way to load a server. */
export interface Workload {
  readonly name: string;
  readonly clients: number;
  readonly events: number;
  /** Null: as fast as the publisher can. */
  readonly perSecond: number | null;
  /** What is to be reached: a ratio to each peer. `perCpu`: at least so many times; `p99`: at most. */
  readonly targets: Partial<Record<Peer, { readonly perCpu?: number; readonly p99?: number }>>;
}

/** What was measured for one server under one workload: medians over the rounds. */
export interface Figures {
  readonly deliveriesPerSecond: number;
  readonly deliveriesPerCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMB: number;
}

export interface Report {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly rounds: number;
  readonly workloads: {
    readonly workload: Workload;
    readonly figures: Record<Peer, Figures>;
    readonly ratios: {
      readonly peer: Peer;
      readonly what: "perCpu" | "p99";
      readonly ratio: number;
      readonly target: number;
      readonly reached: boolean;
    }[];
  }[];
}

const WORKLOADS: readonly Workload[] = [
  {
    name: "burst: 200 clients, 5,000 events as fast as they come",
    clients: 200,
    events: 5_000,
    perSecond: null,
    targets: { "socket.io": { perCpu: 25 }, ws: { perCpu: 20 } },
  },
  {
    name: "paced: 500 clients, 400 events a second",
    clients: 500,
    events: 1_600,
    perSecond: 400,
    targets: { "socket.io": { perCpu: 5 }, ws: { perCpu: 5 } },
  },
  {
    name: "single: 100 clients, one event every 25 ms",
    clients: 100,
    events: 200,
    perSecond: 40,
    targets: { ws: { p99: 1.5 } },
  },
];

/** Longer than any workload needs, in ms: what hangs is a failure, not a slow server. */
const PATIENCE_MS = 120_000;

/** Runs every workload on every server, in turn, and prints what it finds. */
export async function run({
  quick,
  workload: only,
}: {
  quick: boolean;
  workload?: string | undefined;
}): Promise<Report> {
  const chosen = WORKLOADS.filter(({ name }) => only === undefined || name.startsWith(`${only}:`));
  if (chosen.length === 0) throw new Error(`there is no workload ${only}: there are burst, paced and single`);
  const rounds = quick ? 1 : 3;
  const report: Report = {
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version },
    rounds,
    workloads: [],
  };
  for (const whole of chosen) {
    const workload = quick ? { ...whole, events: Math.ceil(whole.events / 4) } : whole;
    const measured = new Map<Peer, Figures[]>(PEERS.map((peer) => [peer, []]));
    // Rounds in turn: what else the machine does then concerns all alike.
    for (let round = 0; round < rounds; round++) {
      for (const peer of PEERS) measured.get(peer)?.push(await measure(peer, workload));
    }
    const figures = Object.fromEntries([...measured].map(([peer, list]) => [peer, mediansOf(list)])) as Record<
      Peer,
      Figures
    >;
    const ratios = ratiosOf(workload, figures);
    report.workloads.push({ workload, figures, ratios });
    print(workload, figures, ratios);
  }
  return report;
}

/** One server under one workload, each in a process of its own that is new. */
export async function measure(
  peer: Peer,
  workload: Pick<Workload, "clients" | "events" | "perSecond">,
): Promise<Figures> {
  const server = start<ToServer, FromServer>(`servers/${peer}.ts`);
  const load = start<ToLoad, FromLoad>("load.ts");
  try {
    const { port } = await server.hear("listening");
    load.say({ do: "connect", port, peer, clients: workload.clients });
    await load.hear("connected");
    const warmUp = Math.min(500, workload.events);
    await exchange(warmUp, workload.perSecond);
    server.say({ do: "measure" });
    const before = await server.hear("measure");
    const received = await exchange(workload.events, workload.perSecond);
    server.say({ do: "measure" });
    const after = await server.hear("measure");
    if (received.mistakes > 0)
      throw new Error(`${peer}: ${received.mistakes} events were lost, doubled or out of order`);
    return {
      deliveriesPerSecond: (received.deliveries / received.elapsedMs) * 1_000,
      deliveriesPerCpuSecond: (received.deliveries / (after.cpuMs - before.cpuMs)) * 1_000,
      p50Ms: received.p50,
      p99Ms: received.p99,
      rssMB: after.rssMB,
    };
  } finally {
    server.end();
    load.end();
  }

  async function exchange(events: number, perSecond: number | null) {
    const received = load.hear("received");
    load.say({ do: "expect", events });
    server.say({ do: "publish", events, perSecond });
    await server.hear("published");
    return received;
  }
}

/** A process that can be spoken with. */
function start<To extends object, From extends { is: string }>(file: string) {
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
    env: { ...process.env, FLOCK_LOG_LEVEL: "warn", NODE_ENV: "production" },
  });
  return {
    say: (message: To) => void child.send(message),
    hear: <K extends From["is"]>(what: K) =>
      new Promise<Extract<From, { is: K }>>((resolve, reject) => {
        const timer = setTimeout(() => done(new Error(`${file} has not said "${what}" in time`)), PATIENCE_MS);
        const onMessage = (message: From) => message.is === what && done(message as Extract<From, { is: K }>);
        const onExit = (code: number | null) => done(new Error(`${file} ended with ${code}`));
        const done = (outcome: Error | Extract<From, { is: K }>) => {
          clearTimeout(timer);
          child.off("message", onMessage).off("exit", onExit);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        child.on("message", onMessage).on("exit", onExit);
      }),
    end: () => void child.kill("SIGKILL"),
  };
}

function mediansOf(list: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number) => median(list.map(pick));
  return {
    deliveriesPerSecond: of((f) => f.deliveriesPerSecond),
    deliveriesPerCpuSecond: of((f) => f.deliveriesPerCpuSecond),
    p50Ms: of((f) => f.p50Ms),
    p99Ms: of((f) => f.p99Ms),
    rssMB: of((f) => f.rssMB),
  };
}

function ratiosOf({ targets }: Workload, figures: Record<Peer, Figures>): Report["workloads"][number]["ratios"] {
  return Object.entries(targets).flatMap(([name, { perCpu, p99 }]) => {
    const peer = name as Peer;
    const ratios: Report["workloads"][number]["ratios"] = [];
    if (perCpu !== undefined) {
      const ratio = figures.flock.deliveriesPerCpuSecond / figures[peer].deliveriesPerCpuSecond;
      ratios.push({ peer, what: "perCpu", ratio, target: perCpu, reached: ratio >= perCpu });
    }
    if (p99 !== undefined) {
      const ratio = figures.flock.p99Ms / figures[peer].p99Ms;
      ratios.push({ peer, what: "p99", ratio, target: p99, reached: ratio <= p99 });
    }
    return ratios;
  });
}

function print(
  workload: Workload,
  figures: Record<Peer, Figures>,
  ratios: Report["workloads"][number]["ratios"],
): void {
  console.log(`\n${workload.name}`);
  console.table(
    Object.fromEntries(
      PEERS.map((peer) => [
        peer,
        {
          "deliveries/s": Math.round(figures[peer].deliveriesPerSecond),
          "deliveries/CPU s": Math.round(figures[peer].deliveriesPerCpuSecond),
          "p50 ms": Number(figures[peer].p50Ms.toFixed(2)),
          "p99 ms": Number(figures[peer].p99Ms.toFixed(2)),
          "RSS MB": Math.round(figures[peer].rssMB),
        },
      ]),
    ),
  );
  for (const { peer, what, ratio, target, reached } of ratios) {
    const name = what === "perCpu" ? "deliveries per CPU second" : "p99 latency";
    const wanted = what === "perCpu" ? `at least ${target}` : `at most ${target}`;
    console.log(
      `${reached ? "reached    " : "NOT REACHED"}  flock is ${ratio.toFixed(2)} × ${peer} in ${name} (to reach: ${wanted})`,
    );
  }
}
