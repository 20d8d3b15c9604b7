import type { ControlOf } from "@flock-ts/protocol";
import type { EventLog } from "../log/event-log.ts";
import type { Scope } from "../log/scope.ts";

/** Where a connection wants to begin: see `since` and `epoch` in the wire contract. */
export interface Start {
  /** A seq; 0: all that is kept; -N: the newest N that match; absent: only what happens from now on. */
  readonly since?: number | undefined;
  /** Which log the seq belongs to; without it, this one. */
  readonly epoch?: string | undefined;
}

/** Where a connection does begin, and what it has to be told first. */
export interface Beginning {
  /** Everything after this seq is delivered. */
  readonly cursor: number;
  readonly gap?: ControlOf<"gap">;
}

/** The cursor for a wish, and the gap where the log no longer has what is wished for. `position` is where live clients are. */
export function beginningOf(
  { since, epoch }: Start,
  log: EventLog,
  position: number,
  scope: Scope | undefined,
): Beginning | Promise<Beginning> {
  if (since === undefined) return { cursor: position };
  if (since < 0) {
    const cursor = log.beforeNewest(-since, position, scope);
    return cursor instanceof Promise ? cursor.then((found) => ({ cursor: found })) : { cursor };
  }
  const kept = log.oldest - 1;
  // A seq beyond the head can only come from a log that is gone, even if the client does not say so.
  if ((epoch !== undefined && epoch !== log.epoch) || since > log.head) {
    return { cursor: kept, gap: { type: "gap", from_seq: 1, to_seq: kept, reason: "epoch" } };
  }
  // Who says 0 without an epoch asks for what there is; with one, it was here when the log was empty.
  const asksForWhatThereIs = since === 0 && epoch === undefined;
  if (since >= kept || asksForWhatThereIs) return { cursor: Math.max(since, kept) };
  return { cursor: kept, gap: expired(since, kept) };
}

/** The events after `cursor` up to `kept` are gone. */
export function expired(cursor: number, kept: number): ControlOf<"gap"> {
  return { type: "gap", from_seq: cursor + 1, to_seq: kept, reason: "expired" };
}
