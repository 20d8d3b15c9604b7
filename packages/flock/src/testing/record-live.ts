import { type ControlOf, connect, type FlockClient } from "@flock-ts/client";
import {
  type Filter,
  type FlockEvent,
  factsOf,
  graphOf,
  LiveState,
  matches,
  type RecordingHead,
} from "@flock-ts/protocol";
import { WebSocket as NodeWebSocket } from "ws";
import { FlockError } from "../core/errors.ts";

/** Validated options of {@link recordLive}. */
export interface LiveRange {
  readonly from: number;
  /** Undefined: up to the newest event at the start, unless `until` or `signal` ends the recording. */
  readonly to: number | undefined;
  readonly filter: Filter;
  readonly until: ((event: FlockEvent) => boolean) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** Default path of a server's WebSocket. */
const DEFAULT_PATH = "/plugin/ws";

/**
 * Records a server's events as a connected client. Reads the log from its start, because a recording includes the
 * earlier state of the agents.
 */
export async function recordLive(
  url: string | URL,
  range: LiveRange,
): Promise<{ readonly head: RecordingHead; readonly events: readonly FlockEvent[] }> {
  const address = new URL(url);
  if (address.pathname === "/") address.pathname = DEFAULT_PATH;
  const { from, filter, until, signal, headers } = range;
  const before = new LiveState();
  const events: FlockEvent[] = [];
  const { promise: ended, resolve, reject: fail } = Promise.withResolvers<void>();
  let isOver = false;
  const end = () => {
    isOver = true;
    resolve();
  };
  using client = connect(address, { since: 0, ...(headers ? { WebSocket: withHeaders(headers) } : {}) });
  let { to } = range;
  let hasBegun = false;
  client.on("event", (event) => {
    // Events arrive in batches; the last one may be among them.
    if (isOver) return undefined;
    hasBegun = true;
    if (to !== undefined && event.seq > to) return end();
    if (event.seq < from) return before.apply(event);
    if (matches(filter, factsOf(event))) events.push(event);
    try {
      if (event.seq === to || until?.(event)) end();
    } catch (error) {
      fail(error);
    }
    return undefined;
  });
  client.on("gap", (gap) => {
    // A gap before the first recorded event is not a gap in the recording.
    if (hasBegun || gap.reason === "epoch") fail(hole(address, gap));
  });
  client.on("caught_up", ({ seq }) => {
    // The log may be empty, or already beyond `to`.
    if (to !== undefined && seq >= to) end();
  });
  let isKnown = false;
  client.subscribe(() => {
    const { status, head, epoch, reason } = client.state;
    if (epoch !== null && !isKnown) {
      isKnown = true;
      if (!until && !signal) to ??= head;
    }
    if (status === "closed" || (!isKnown && status === "waiting")) fail(unreachable(address, reason));
  });
  const stop = () => end();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) end();
  try {
    await ended;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  return { head: headOf(client, before, events, address), events: [...events] };
}

function headOf(client: FlockClient, before: LiveState, events: readonly FlockEvent[], address: URL): RecordingHead {
  const [first] = events;
  if (!first) {
    throw new FlockError(
      "invalid_options",
      `Failed to record \`${address.href}\`: no event matches. Check \`from\`, \`to\` and \`filter\`.`,
    );
  }
  const { epoch } = client.state;
  const to_seq = (events.at(-1) as FlockEvent).seq;
  const graph = graphOf(before.current);
  return { type: "flock_events", version: 1, epoch, from_seq: first.seq, to_seq, graph };
}

function withHeaders(headers: Readonly<Record<string, string>>): typeof WebSocket {
  return class extends NodeWebSocket {
    constructor(url: string | URL) {
      super(url, { headers });
    }
  } as unknown as typeof WebSocket;
}

function hole({ href }: URL, { from_seq, to_seq, reason }: ControlOf<"gap">): FlockError {
  return new FlockError(
    "recording_broken",
    reason === "epoch"
      ? `Failed to record \`${href}\`: the server started a new log. Record again.`
      : `Failed to record \`${href}\`: events ${from_seq} to ${to_seq} were already dropped. Keep more events in the server's log.`,
  );
}

function unreachable({ href }: URL, reason: string | null): FlockError {
  return new FlockError(
    "recording_broken",
    `Failed to record \`${href}\`: ${reason ?? "the server closed the connection"}. Check that the URL is a Flock server's WebSocket.`,
  );
}
