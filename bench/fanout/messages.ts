/** What the suite tells a server process. */
export type ToServer =
  | { readonly do: "measure" }
  | { readonly do: "publish"; readonly events: number; readonly perSecond: number | null }
  | { readonly do: "end" };

/** What a server process tells the suite. */
export type FromServer =
  | { readonly is: "listening"; readonly port: number }
  | { readonly is: "measure"; readonly cpuMs: number; readonly rssMB: number }
  | { readonly is: "published" };

/** What the suite tells the load process. */
export type ToLoad =
  | { readonly do: "connect"; readonly port: number; readonly peer: Peer; readonly clients: number }
  | { readonly do: "expect"; readonly events: number }
  | { readonly do: "leave" };

/** What the load process tells the suite. */
export type FromLoad =
  | { readonly is: "connected" }
  | {
      readonly is: "received";
      /** From the first to the last delivery, in ms. */
      readonly elapsedMs: number;
      readonly deliveries: number;
      /** From publishing to arrival, over a sample of the deliveries, in ms. */
      readonly p50: number;
      readonly p99: number;
      /** What was wrong: an event that was missing, twice, or out of order. */
      readonly mistakes: number;
    };

export const PEERS = ["flock", "ws", "socket.io"] as const;
export type Peer = (typeof PEERS)[number];

/** About 200 bytes an event on the wire, of which this is the text that an agent streams. */
const FILLER = "x".repeat(16);

/** The n-th event's text, with the time it was made (ms since the epoch, to a µs; processes share the clock). */
export function textOf(n: number): string {
  return `#${n}@${(performance.timeOrigin + performance.now()).toFixed(3)}#${FILLER}`;
}

const TEXT = /#(\d+)@([\d.]+)#/;

/** The number and the time in an event, or undefined where it is another message. */
export function readText(payload: Buffer): { n: number; at: number } | undefined {
  const start = payload.indexOf("#");
  if (start < 0) return undefined;
  const match = TEXT.exec(payload.toString("latin1", start, start + 48));
  return match ? { n: Number(match[1]), at: Number(match[2]) } : undefined;
}
