import type { ControlOf } from "@flock-ts/protocol";
import type { EventLog } from "../log/event-log.ts";
import type { Scope } from "../log/scope.ts";

/** Where a client asks to begin: see `since` and `epoch` in the wire contract. */
export interface Start {
  /** A seq; 0: all events kept; -N: the newest N that match; absent: only new events. */
  readonly since?: number | undefined;
  /** The log that `since` belongs to. Default: the current one. */
  readonly epoch?: string | undefined;
}

/** Where a client begins. */
export interface Beginning {
  /** The client receives the events after this seq. */
  readonly cursor: number;
  /** The requested events that are not kept. */
  readonly gap?: ControlOf<"gap">;
}

/**
 * Returns where a client begins that asks for `start`: a promise when the newest N events have to be searched in the store.
 * @param position the seq that live clients have reached.
 */
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
  const dropped = log.oldest - 1;
  // Only a log that no longer exists can have had a seq beyond the head, even if the client names no epoch.
  if ((epoch !== undefined && epoch !== log.epoch) || since > log.head) {
    return { cursor: dropped, gap: { type: "gap", from_seq: 1, to_seq: dropped, reason: "epoch" } };
  }
  // 0 without an epoch asks for all events kept. With an epoch, the client has seen the log when it was empty.
  const isAllKept = since === 0 && epoch === undefined;
  if (since >= dropped || isAllKept) return { cursor: Math.max(since, dropped) };
  return { cursor: dropped, gap: expired(since, dropped) };
}

/** Returns the gap for the events after `cursor` up to `dropped`, which are no longer kept. */
export function expired(cursor: number, dropped: number): ControlOf<"gap"> {
  return { type: "gap", from_seq: cursor + 1, to_seq: dropped, reason: "expired" };
}
