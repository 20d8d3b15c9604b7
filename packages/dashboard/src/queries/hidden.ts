import type { FlockEvent } from "@flock-ts/protocol";
import { useMemo } from "react";
import { create } from "zustand";
import { type DashboardConfig, eventsUrl } from "../connection/config.ts";
import { getJson } from "../connection/rest.ts";
import type { SessionView } from "../session/store.ts";
import { session, useSession } from "../session/tab-session.ts";
import { hiddenIn } from "../timeline/hidden-seqs.ts";

/** The seq up to which the server has confirmed that a limited viewer has every visible event. */
const usePassed = create<{ readonly epoch: string | null; readonly seq: number }>(() => ({ epoch: null, seq: 0 }));

/** Whether events may be hidden from the viewer; for an event file, from the user who saved it. */
export function isLimited({ connection, file, fileHead }: SessionView): boolean {
  return file === null ? connection.limited : fileHead?.hidden !== undefined;
}

/** The number of hidden events. */
export interface Hidden {
  readonly count: number;
  /** The total number of events. */
  readonly of: number;
  /** The range of seqs. */
  readonly from: number;
  readonly to: number;
  /** Whether the positions of the hidden events are known. A filtered file does not have them. */
  readonly isPlaced: boolean;
  /** Whether an event file is open. Its events were hidden from the user who saved it. */
  readonly isFile: boolean;
}

/** Counts the events hidden from this viewer up to the seq shown; null for viewers who see everything. */
export function useHidden(): Hidden | null {
  // Until loading is complete, missing events would count as hidden.
  const limited = useSession((live) => live.complete && isLimited(live));
  const head = useSession(({ fileHead }) => fileHead);
  const at = useSession(({ at }) => at);
  const last = useSession(({ last }) => last);
  const first = useSession(({ from, past }) => past?.from ?? from);
  const epoch = useSession(({ connection, file }) => (file === null ? connection.epoch : null));
  const passed = usePassed((passed) => (passed.epoch === epoch ? passed.seq : 0));
  return useMemo(() => {
    if (!limited) return null;
    if (head?.narrowed) {
      const { hidden = 0, from_seq: from, to_seq: to } = head;
      return { count: hidden, of: to - from + 1, from, to, isPlaced: false, isFile: true };
    }
    const timeline = session.shownTimeline;
    const to = at ?? Math.max(last, head?.to_seq ?? passed);
    const from = Math.min(head?.from_seq ?? first, to + 1);
    const count = hiddenIn(timeline).between(timeline.log(), timeline.gaps, from, to);
    return { count, of: to - from + 1, from, to, isPlaced: true, isFile: head !== null };
  }, [limited, head, at, last, first, passed]);
}

/** Counts the hidden events of a range; null for viewers who see everything. */
export function hiddenWithin(from: number, to: number): number | null {
  const live = useSession.getState();
  if (!isLimited(live)) return null;
  // In a filtered file, gaps do not mean hidden events. Only its header has the count.
  if (live.fileHead?.narrowed !== undefined) return live.fileHead.hidden ?? 0;
  const timeline = session.timeline;
  return hiddenIn(timeline).between(timeline.log(), timeline.gaps, from, to);
}

/** Returns the count as text. */
export function hiddenWords({ count, of, isFile }: Hidden): string {
  return `${number(count)} of ${number(of)} events ${isFile ? "were hidden from the user who saved this file" : "are hidden from you"}`;
}

function number(amount: number): string {
  return amount.toLocaleString("en");
}

/** The polling interval of a limited viewer, in ms. Missing seqs alone do not reveal hidden events. */
const ASK_MS = 5_000;

/** Counts hidden events while no visible event arrives. */
export function followHidden(): void {
  const ask = () => {
    const { config, connection, complete, file, last } = useSession.getState();
    if (!config || !connection.limited || !complete || file !== null || document.hidden) return;
    if (connection.status === "live") void askWhatHasPassed(config, connection.epoch, last);
  };
  setInterval(ask, ASK_MS);
  useSession.subscribe((now, before) => {
    if (now.complete && now.connection.limited && (!before.complete || now.connection !== before.connection)) ask();
  });
}

/** When the server has no visible event between the tab's last one and the head, all of that range is hidden. */
async function askWhatHasPassed(config: DashboardConfig, epoch: string | null, last: number): Promise<void> {
  type Page = { readonly events: readonly FlockEvent[]; readonly next: number; readonly epoch: string };
  const page = await getJson<Page>(eventsUrl(config, { after: last, limit: 1 })).catch(() => null);
  // Visible events are on their way.
  if (page && page.epoch === epoch && page.events.length === 0) usePassed.setState({ epoch, seq: page.next });
}
