import { type Following, PEERS, type Peer } from "../calls.ts";
import { between, Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Comparison, type Round, ratio, type Suite } from "./suite.ts";

/** Events belong to so many workflows in turn, and as many clients follow one each. */
const WORKFLOWS: Readonly<Record<Size, number>> = { full: 500, quick: 500, tiny: 5 };
const EVENTS: Readonly<Record<Size, number>> = { full: 2_000, quick: 1_000, tiny: 20 };
/** Slow enough that each event goes out alone. */
const PER_SECOND = 400;
/** How long everybody may take to get the last events, in ms. */
const PATIENCE_MS = 30_000;

/** Who is connected. Each is a column. */
const AUDIENCES: Readonly<
  Record<string, { readonly title: string; readonly following?: Following; readonly isOne?: true }>
> = {
  none: { title: "nobody" },
  one: { title: "1, everything", following: "everything", isOne: true },
  own: { title: "each its own", following: "its own" },
  nothing: { title: "each what does not occur", following: "nothing" },
};

/** Clients that each follow something else. */
export const suite: Suite = {
  name: "cohorts",
  about: "Hundreds of clients follow a workflow each: does an event cost more than the one client that wants it?",
  minutes: { full: 4.5, quick: 0.8 },
  workloads: [
    {
      name: "workflows",
      title: (size) =>
        `server CPU µs for each event of ${WORKFLOWS[size]} workflows in turn, ${PER_SECOND} a second, by who is connected` +
        ` (nobody, one client, or ${WORKFLOWS[size]})`,
      rounds: 3,
      columns: Object.entries(AUDIENCES).map(([key, { title }]) => ({ key, title, digits: 1 })),
      comparisons: [
        within("flock", "own", "one", 1.2),
        within("flock", "nothing", "none", 1.2),
        within("ws", "own", "one"),
        within("ws", "nothing", "none"),
        within("socket.io", "own", "one"),
        within("socket.io", "nothing", "none"),
        {
          what: "CPU time for an event that one of all wants, Flock to ws",
          of: ratio("own", "flock", "ws"),
          chart: { label: "CPU: an event that 1 of 500 wants", peer: "ws", isCost: true },
        },
        {
          what: "CPU time for an event that one of all wants, Flock to socket.io",
          of: ratio("own", "flock", "socket.io"),
          chart: { label: "CPU: an event that 1 of 500 wants", peer: "socket.io", isCost: true },
        },
      ],
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const peer of PEERS) round[peer] = await measure(peer, size);
        return round;
      },
    },
  ],
};

function within(peer: Peer, audience: string, to: string, atMost?: number): Comparison {
  return {
    what: `${peer}, ${AUDIENCES[audience]?.title} to ${AUDIENCES[to]?.title}`,
    of: (round: Round) => {
      const [upper, lower] = [round[peer]?.[audience], round[peer]?.[to]];
      return typeof upper === "number" && typeof lower === "number" ? upper / lower : undefined;
    },
    ...(atMost === undefined ? {} : { target: { atMost } }),
  };
}

/** CPU time of the server for each event, in µs, for each audience. */
async function measure(peer: Peer, size: Size): Promise<Round[string]> {
  const workflows = WORKFLOWS[size];
  return Pair.with(peer, { workflows }, async (pair) => {
    const { server, load, port } = pair;
    const costs: Record<string, number> = {};
    let first = 0;
    const publish = async (crowd: string | undefined) => {
      ({ total: first } = await server.ask("publish", { events: EVENTS[size], perSecond: PER_SECOND }));
      if (crowd !== undefined) pair.assertWhole(await load.ask("receive", crowd, first, PATIENCE_MS));
    };
    await publish(undefined);
    for (const [audience, { following, isOne }] of Object.entries(AUDIENCES)) {
      const crowd = following && audience;
      const clients = isOne ? 1 : workflows;
      if (following) await load.ask("join", { crowd: audience, peer, port, clients, following, first });
      const before = await server.ask("measure", "once");
      await publish(crowd);
      // Not what it takes to look for garbage in 500 connections: that is not of these events.
      const { cpuMs } = between(before, await server.ask("measure", "never"));
      costs[audience] = (cpuMs / EVENTS[size]) * 1_000;
      if (crowd !== undefined) await load.ask("drop", crowd);
    }
    return costs;
  });
}
