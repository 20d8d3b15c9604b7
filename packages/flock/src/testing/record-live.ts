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

/** What {@link recordLive} has been told, checked. */
export interface LiveRange {
  readonly from: number;
  /** Undefined: what there is when the recording begins, unless `until` or `signal` says when it ends. */
  readonly to: number | undefined;
  readonly filter: Filter;
  readonly until: ((event: FlockEvent) => boolean) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** Where a server's WebSocket is, when only the server is named. */
const DEFAULT_PATH = "/plugin/ws";

/**
 * Records a server's events as a client that sees them happen. The log is read from its beginning: a recording says what the
 * agents had done before it.
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
    // Many come in one go: the last one that is wanted may be among them.
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
    // What has expired before the recording could begin is no hole in it.
    if (hasBegun || gap.reason === "epoch") fail(hole(address, gap));
  });
  client.on("caught_up", ({ seq }) => {
    // The log may be empty, or `to` long past.
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
    throw new FlockError("invalid_options", `record: nothing that is wanted has happened at ${address.href}`);
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
      ? `record: ${href} has begun another log: what was recorded does not go on`
      : `record: the events ${from_seq} to ${to_seq} of ${href} were dropped before they could be recorded: let its log keep more`,
  );
}

function unreachable({ href }: URL, reason: string | null): FlockError {
  return new FlockError(
    "recording_broken",
    `record: ${href} cannot be recorded: ${reason ?? "it closed the connection"}. Is it the address of a Flock server's WebSocket?`,
  );
}
