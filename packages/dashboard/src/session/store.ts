import type { ConnectionState } from "@flock-ts/client";
import { type ControlOf, emptyState, type FlockState, type RecordingHead } from "@flock-ts/protocol";
import { create } from "zustand";
import type { Away } from "../absence/summary.ts";
import type { DashboardConfig } from "../connection/config.ts";
import { Log } from "../timeline/log.ts";
import type { Past } from "./window.ts";

/** Everything that the screens show. They read it, and never talk to the server about events. */
export interface SessionView {
  readonly config: DashboardConfig | null;
  /** The name of the file that is shown instead of a server. */
  readonly file: string | null;
  /** What the file says of itself. */
  readonly fileHead: RecordingHead | null;
  readonly connection: ConnectionState;
  /** Since when there is no connection, as `Date.now()` counts; null while there is one. */
  readonly offlineSince: number | null;
  /** Whether this tab has taken in all that the server had to tell: before that, an empty list says nothing. */
  readonly complete: boolean;
  /** What the screens show: the newest state, or the one at `at`. */
  readonly state: FlockState;
  /** The events that led to `state`, oldest first. */
  readonly log: Log;
  /** The seq that the viewer has travelled to; null while following what happens. */
  readonly at: number | null;
  /** The oldest and the newest seq that this tab can show. */
  readonly first: number;
  readonly last: number;
  /** From this seq on the tab has all that is for this viewer; see `Timeline.from`. */
  readonly from: number;
  /** The oldest seq that the server keeps: what lies between it and `from` is read when the viewer goes there. */
  readonly oldest: number;
  /** The stretch before `from` that the viewer is in; null elsewhere. */
  readonly past: Pick<Past, "from" | "to"> | null;
  /** Whether such a stretch is on its way. */
  readonly isLoading: boolean;
  /** What is missing. */
  readonly gaps: readonly ControlOf<"gap">[];
  /** When the connection broke and why, the newest last. */
  readonly breaks: readonly { readonly at: number; readonly reason: string }[];
  /** What happened while nobody looked. */
  readonly away: Away | null;
  /** What the viewer has to know, in a sentence. */
  readonly notice: string | null;
}

export const useSession = create<SessionView>(() => ({
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
