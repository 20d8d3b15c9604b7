import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Round, ratio, type Suite } from "./suite.ts";

const CLIENTS: Readonly<Record<Size, number>> = { full: 100, quick: 100, tiny: 3 };
const EVENTS: Readonly<Record<Size, number>> = { full: 2_000, quick: 500, tiny: 30 };
/** As several models stream together; slow enough that a peer that compresses for each client keeps up. */
const PER_SECOND = 150;
/** Events before anything is measured. */
const WARM_UP: Readonly<Record<Size, number>> = { full: 200, quick: 100, tiny: 5 };

/** The same stream of tokens, plain and compressed. */
export const suite: Suite = {
  name: "compression",
  about: "What does compression save and cost on a stream of tokens?",
  minutes: { full: 5, quick: 0.7 },
  workloads: [
    {
      name: "tokens",
      title: (size) => `${CLIENTS[size]} clients, ${PER_SECOND} events a second, a few words each`,
      rounds: 3,
      columns: [
        { key: "bytes", title: "bytes/delivery", digits: 0 },
        { key: "cpuMicros", title: "server CPU µs/delivery", digits: 2 },
        { key: "p50Ms", title: "p50 ms", digits: 2 },
        { key: "p99Ms", title: "p99 ms", digits: 2 },
        { key: "rssMB", title: "RSS MB", digits: 0 },
      ],
      comparisons: [
        {
          what: "bytes on the wire, Flock compressed to plain",
          of: ratio("bytes", rowOf("flock", true), rowOf("flock", false)),
        },
        {
          what: "server CPU time, Flock compressed to plain",
          of: ratio("cpuMicros", rowOf("flock", true), rowOf("flock", false)),
        },
        ...(["ws", "socket.io"] as const).map((peer) => ({
          what: `server CPU time, Flock compressed to ${peer} compressed`,
          of: ratio("cpuMicros", rowOf("flock", true), rowOf(peer, true)),
          chart: { label: "CPU: compressed stream", peer, isCost: true },
        })),
      ],
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const peer of PEERS) {
          for (const compression of [false, true]) {
            round[rowOf(peer, compression)] = await measure(peer, compression, size);
          }
        }
        return round;
      },
    },
  ],
};

function rowOf(peer: Peer, compression: boolean): string {
  return compression ? `${peer}, compressed` : peer;
}

async function measure(peer: Peer, compression: boolean, size: Size): Promise<Round[string]> {
  return Pair.with(peer, { compression }, async (pair) => {
    await pair.join("all", CLIENTS[size], 0, compression);
    await pair.exchange("all", { events: WARM_UP[size], perSecond: PER_SECOND });
    const { received, used } = await pair.exchange("all", { events: EVENTS[size], perSecond: PER_SECOND });
    return {
      bytes: received.bytes / received.deliveries,
      cpuMicros: (used.cpuMs / received.deliveries) * 1_000,
      p50Ms: received.p50Ms,
      p99Ms: received.p99Ms,
      rssMB: used.rssMB,
    };
  });
}
