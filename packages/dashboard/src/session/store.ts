import type { ConnectionState } from "@flock-ts/client";
import { type ControlOf, emptyState, type FlockState, type RecordingHead } from "@flock-ts/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { MissedSummary } from "../absence/summary.ts";
import type { DashboardConfig } from "../connection/config.ts";
import { Log } from "../timeline/log.ts";

/** The read model of a session: the part of the log that screens show. The session writes it, components read it. */
export interface SessionView {
  readonly config: DashboardConfig | null;
  /** The name of the open event file; null for a server's log. */
  readonly file: string | null;
  /** The header of the event file, if it has one. */
  readonly fileHead: RecordingHead | null;
  readonly connection: ConnectionState;
  /** When the connection was lost, as `Date.now()` counts; null while connected. */
  readonly offlineSince: number | null;
  /** Whether the tab has received every event at least once. Before that, an empty list means nothing. */
  readonly complete: boolean;
  /** The state to show: the newest, or the one at `at`. */
  readonly state: FlockState;
  /** The events that led to `state`, oldest first. */
  readonly log: Log;
  /** The seq that the viewer has travelled to; null while following the log. */
  readonly at: number | null;
  /** The oldest and the newest seq in the tab. */
  readonly first: number;
  readonly last: number;
  /** From this seq on the tab has everything that this viewer may see; see `Timeline.from`. */
  readonly from: number;
  /** The oldest seq that the server keeps. The events between it and `from` are loaded when the viewer goes there. */
  readonly oldest: number;
  /** The loaded range before `from` that is shown; null elsewhere. */
  readonly past: { readonly from: number; readonly to: number } | null;
  /** Whether such a range is being loaded. */
  readonly isLoading: boolean;
  /** The missing ranges. */
  readonly gaps: readonly ControlOf<"gap">[];
  /** The disconnects with their reasons, oldest first. */
  readonly breaks: readonly { readonly at: number; readonly reason: string }[];
  /** The summary of an absence. */
  readonly away: MissedSummary | null;
  /** A message for the viewer. */
  readonly notice: string | null;
}

/** Creates the read model of a session that has not started. */
export function createSessionStore(): StoreApi<SessionView> {
  return createStore<SessionView>(() => ({
    config: null,
    file: null,
    fileHead: null,
    connection: {
      status: "connecting",
      attempt: 0,
      retryAt: null,
      epoch: null,
      connectionId: null,
      head: 0,
      limited: false,
      reason: null,
      code: null,
    },
    offlineSince: null,
    complete: false,
    state: emptyState(),
    log: new Log([], 0),
    at: null,
    first: 1,
    last: 0,
    from: 1,
    oldest: 1,
    past: null,
    isLoading: false,
    gaps: [],
    breaks: [],
    away: null,
    notice: null,
  }));
}

/** Whether events may be hidden from the viewer; for an event file, from the user who saved it. */
export function isLimited({ connection, file, fileHead }: SessionView): boolean {
  return file === null ? connection.limited : fileHead?.hidden !== undefined;
}
