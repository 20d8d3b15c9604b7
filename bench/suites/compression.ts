import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Figure, Figures } from "./figures.ts";
import { type Comparison, flockTo, type Suite, workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  readonly events: number;
  /** Events before the measurement. */
  readonly warmUp: number;
}

/** Like several models that stream together; slow enough for a peer that compresses per client. */
const PER_SECOND = 150;

/** The same token stream, plain and compressed. */
export const suite: Suite = {
  name: "compression",
  about: "What does compression save and cost on a stream of tokens?",
  minutes: { full: 5, quick: 0.7 },
  workloads: [
    workload({
      name: "tokens",
      loads: {
        full: { clients: 100, events: 2_000, warmUp: 200 },
        quick: { clients: 100, events: 500, warmUp: 100 },
        tiny: { clients: 3, events: 30, warmUp: 5 },
      },
      title: ({ clients }) => `${clients} clients, ${PER_SECOND} events a second, a few words each`,
      columns: ["bytes", "cpuPerDelivery", "p50Ms", "p99Ms", "rssMB"],
      comparisons: [
        compressedToPlain("bytes on the wire", "bytes"),
        compressedToPlain("server CPU time", "cpuPerDelivery"),
        ...["ws", "socket.io"].map((peer) =>
          flockTo(
            peer,
            "server CPU time, all compressed",
            "cpuPerDelivery",
            { chart: "CPU: compressed stream" },
            compressed,
          ),
        ),
      ],
      rows: (load) =>
        Object.fromEntries(
          PEERS.flatMap((peer) => [
            [peer, () => measure(peer, false, load)],
            [compressed(peer), () => measure(peer, true, load)],
          ]),
        ),
    }),
  ],
};

function compressed(peer: string): string {
  return `${peer}, compressed`;
}

function compressedToPlain(what: string, figure: Figure): Comparison {
  return { what: `${what}, Flock compressed to plain`, of: [compressed("flock"), figure], to: ["flock", figure] };
}

async function measure(peer: Peer, compression: boolean, load: Load): Promise<Figures> {
  return Pair.with(peer, { compression }, async (pair) => {
    await pair.join("all", load.clients, 0, compression);
    await pair.exchange("all", { events: load.warmUp, perSecond: PER_SECOND });
    const { received, used } = await pair.exchange("all", { events: load.events, perSecond: PER_SECOND });
    return {
      bytes: received.bytes / received.deliveries,
      cpuPerDelivery: (used.cpuMs / received.deliveries) * 1_000,
      p50Ms: received.p50Ms,
      p99Ms: received.p99Ms,
      rssMB: used.rssMB,
    };
  });
}
