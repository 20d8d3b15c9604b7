import type { ConnectionState } from "@flock-ts/client";
import { type ControlOf, emptyState, type FlockState, type RecordingHead } from "@flock-ts/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { MissedSummary } from "../absence/summary.ts";
import type { DashboardConfig } from "../connection/config.ts";
import { Log } from "../timeline/log.ts";

/** The read model of a session: all that screens show of the log. The session writes it, components read it. */
export interface SessionView {
  readonly config: DashboardConfig | null;
  /** The name of the recording that is shown instead of a server's log. */
  readonly file: string | null;
  /** The head of the recording, if it has one. */
  readonly fileHead: RecordingHead | null;
  readonly connection: ConnectionState;
  /** When the connection broke, as `Date.now()` counts; null while there is one. */
  readonly offlineSince: number | null;
  /** Whether the tab has received everything at least once. Before that, an empty list means nothing. */
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
  /** The range before `from` that is shown; null elsewhere. */
  readonly past: { readonly from: number; readonly to: number } | null;
  /** Whether such a range is being loaded. */
  readonly isLoading: boolean;
  /** The ranges that are missing. */
  readonly gaps: readonly ControlOf<"gap">[];
  /** When the connection broke and why, oldest first. */
  readonly breaks: readonly { readonly at: number; readonly reason: string }[];
  /** What happened during an absence. */
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

/** Whether events may be hidden from the viewer; in a recording, from the person who saved it. */
export function isLimited({ connection, file, fileHead }: SessionView): boolean {
  return file === null ? connection.limited : fileHead?.hidden !== undefined;
}
