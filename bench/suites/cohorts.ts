import { type Following, PEERS, type Peer } from "../calls.ts";
import { between, Pair } from "../pair.ts";
import type { Target } from "../report/report.ts";
import type { Figure, Figures } from "./figures.ts";
import { type Comparison, flockTo, rowsOf, type Suite, workload } from "./suite.ts";

interface Load {
  /** Number of workflows that events alternate between; one client subscribes to each. */
  readonly workflows: number;
  readonly events: number;
}

/** Slow enough that each event is sent separately. */
const PER_SECOND = 400;
/** Time limit for the last events, in ms. */
const PATIENCE_MS = 30_000;

/** Connected clients, one column each. */
const AUDIENCES: readonly { readonly figure: Figure; readonly following?: Following; readonly isOne?: true }[] = [
  { figure: "noClientMicros" },
  { figure: "oneMicros", following: "everything", isOne: true },
  { figure: "ownMicros", following: "its own" },
  { figure: "nothingMicros", following: "nothing" },
];

/** Clients with different subscriptions. */
export const suite: Suite = {
  name: "cohorts",
  about: "Hundreds of clients follow a workflow each: does an event cost more than the one client that wants it?",
  minutes: { full: 4.5, quick: 0.8 },
  workloads: [
    workload({
      name: "workflows",
      loads: {
        full: { workflows: 500, events: 2_000 },
        quick: { workflows: 500, events: 1_000 },
        tiny: { workflows: 5, events: 20 },
      },
      title: ({ workflows }) =>
        `server CPU µs for each event of ${workflows} workflows in turn, ${PER_SECOND} a second, by the number of connected` +
        ` clients (0, 1 or ${workflows})`,
      columns: AUDIENCES.map(({ figure }) => figure),
      comparisons: [
        ...PEERS.flatMap((peer) => within(peer, peer === "flock" ? { atMost: 1.2 } : undefined)),
        ...["ws", "socket.io"].map((peer) =>
          flockTo(peer, "CPU time for an event that one of all wants", "ownMicros", {
            chart: "CPU: an event that 1 of 500 wants",
          }),
        ),
      ],
      rows: (load) => rowsOf(PEERS, (peer) => measure(peer, load)),
    }),
  ],
};

/** Compares many subscribers with as many events for one subscriber, or for none. */
function within(peer: Peer, target?: Target): Comparison[] {
  const more = target ? { target } : {};
  return [
    { what: `${peer}, each its own to 1, everything`, of: [peer, "ownMicros"], to: [peer, "oneMicros"], ...more },
    {
      what: `${peer}, each an idle workflow, to no client`,
      of: [peer, "nothingMicros"],
      to: [peer, "noClientMicros"],
      ...more,
    },
  ];
}

/** Measures the server's CPU time per event for each audience, in µs. */
async function measure(peer: Peer, { workflows, events }: Load): Promise<Figures> {
  return Pair.with(peer, { workflows }, async (pair) => {
    const { server, load, port } = pair;
    const costs: Partial<Record<Figure, number>> = {};
    let first = 0;
    const publish = async (crowd: string | undefined) => {
      ({ total: first } = await server.ask("publish", { events, perSecond: PER_SECOND }));
      if (crowd !== undefined) pair.assertWhole(await load.ask("receive", crowd, first, PATIENCE_MS));
    };
    await publish(undefined);
    for (const { figure, following: crowd, isOne } of AUDIENCES) {
      const clients = isOne ? 1 : workflows;
      if (crowd) await load.ask("join", { crowd, peer, port, clients, following: crowd, first });
      const before = await server.ask("measure", "once");
      await publish(crowd);
      // Excludes garbage collection over 500 connections, which these events don't cause.
      const { cpuMs } = between(before, await server.ask("measure", "never"));
      costs[figure] = (cpuMs / events) * 1_000;
      if (crowd !== undefined) await load.ask("drop", crowd);
    }
    return costs;
  });
}
