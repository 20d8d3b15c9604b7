import type { FlockEvent } from "@flock-ts/protocol";
import { useMemo } from "react";
import { create } from "zustand";
import { type DashboardConfig, eventsUrl } from "../connection/config.ts";
import { getJson } from "../connection/rest.ts";
import type { SessionView } from "../session/store.ts";
import { session, useSession } from "../session/tab-session.ts";
import { hiddenIn } from "../timeline/hidden-seqs.ts";

/** Of a limited viewer's log: up to which seq the server has said that nothing else is for this viewer. */
const usePassed = create<{ readonly epoch: string | null; readonly seq: number }>(() => ({ epoch: null, seq: 0 }));

/** Whether events may be hidden from the viewer; in a file, from whoever has saved it. */
export function isLimited({ connection, file, fileHead }: SessionView): boolean {
  return file === null ? connection.limited : fileHead?.hidden !== undefined;
}

/** How many events are hidden from the viewer. */
export interface Hidden {
  readonly count: number;
  /** Of so many. */
  readonly of: number;
  /** These are the numbers from here to there. */
  readonly from: number;
  readonly to: number;
  /** Whether it is known where they stand: not in a file that has been narrowed. */
  readonly isPlaced: boolean;
  /** Whether this is a file: then they were hidden from whoever has saved it. */
  readonly isFile: boolean;
}

/** What is hidden from this viewer up to the seq that is shown; null for those who may see everything. */
export function useHidden(): Hidden | null {
  // Before all that there is has come, what is not there yet would be taken for hidden.
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

/** How many events of a range are hidden from this viewer; null for those who may see everything. */
export function hiddenWithin(from: number, to: number): number | null {
  const live = useSession.getState();
  if (!isLimited(live)) return null;
  // Where others are left out, holes tell nothing: what the file says of itself is all that is known.
  if (live.fileHead?.narrowed !== undefined) return live.fileHead.hidden ?? 0;
  const timeline = session.timeline;
  return hiddenIn(timeline).between(timeline.log(), timeline.gaps, from, to);
}

/** How many are hidden, in words. */
export function hiddenWords({ count, of, isFile }: Hidden): string {
  return `${number(count)} of ${number(of)} events ${isFile ? "were hidden from the user who saved this file" : "are hidden from you"}`;
}

function number(amount: number): string {
  return amount.toLocaleString("en");
}

/** How often a limited viewer asks what has passed by it, in ms: numbers that never come tell nothing by themselves. */
const ASK_MS = 5_000;

/** Keeps count of what passes by a limited viewer while nothing comes that it may see. */
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

/** When there is nothing for us between what we have and the head, all of that is hidden. */
async function askWhatHasPassed(config: DashboardConfig, epoch: string | null, last: number): Promise<void> {
  type Page = { readonly events: readonly FlockEvent[]; readonly next: number; readonly epoch: string };
  const page = await getJson<Page>(eventsUrl(config, { after: last, limit: 1 })).catch(() => null);
  // What is there is on its way to us as well.
  if (page && page.epoch === epoch && page.events.length === 0) usePassed.setState({ epoch, seq: page.next });
}
