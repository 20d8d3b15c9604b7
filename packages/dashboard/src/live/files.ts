import { type Excerpt, eventsOf, opened, piecesOf } from "./file.ts";
import { hiddenWithin } from "./hidden.ts";
import { knownTimeline, loadOlder, showFile, useLive } from "./store.ts";
import { KEPT_EVENTS } from "./timeline.ts";
import { goLive } from "./travel.ts";

/** What is wanted of the log; see {@link Excerpt}. */
export type Choice = Pick<Excerpt, "from" | "to" | "only">;

/** How many events a choice comes to, of those that are here. */
export function countOf(choice: Choice): number {
  let count = 0;
  for (const events of eventsOf(knownTimeline(), excerptOf(choice))) count += events.length;
  return count;
}

function excerptOf({ from, to, only }: Choice): Excerpt {
  const { file, fileHead, connection } = useLive.getState();
  const narrowed = fileHead?.narrowed;
  const words = [narrowed, only?.words].filter((each) => each !== undefined).join(", ");
  const hidden = hiddenWithin(from, to);
  return {
    from,
    to,
    epoch: file === null ? connection.epoch : (fileHead?.epoch ?? null),
    ...(words ? { only: { isWanted: only?.isWanted ?? (() => true), words } } : {}),
    ...(hidden === null ? {} : { hidden }),
  };
}

/**
 * Gives the viewer a file of some events. What is not here yet is fetched first; where the tab cannot hold that much, the
 * file begins later than was asked for, and says so in its first line.
 *
 * @param onProgress hears of each piece: the events that have been written so far.
 * @returns how many events are in it; null when `signal` has ended it.
 */
export async function saveRange(
  { from, to, only }: Choice,
  onProgress: (events: number) => void = () => {},
  signal?: AbortSignal,
): Promise<number | null> {
  await fetchFrom(from);
  const timeline = knownTimeline();
  const excerpt = excerptOf({ from: Math.max(from, timeline.from), to, ...(only ? { only } : {}) });
  const parts: Blob[] = [];
  let events = -1;
  for (const piece of piecesOf(timeline, excerpt)) {
    // The browser may put a blob on the disk; a string of all of them it may not.
    parts.push(new Blob([piece]));
    events += piece.split("\n").length - 1;
    onProgress(events);
    await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) return null;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "application/x-ndjson" }));
  link.download = `flock-${excerpt.from}-${to}.ndjson`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return events;
}

/** Fetches events until those from a seq on are here, or as many as the tab can hold. */
async function fetchFrom(seq: number): Promise<void> {
  for (;;) {
    const { from, oldest } = useLive.getState();
    if (from <= Math.max(seq, oldest)) return;
    await loadOlder(KEPT_EVENTS);
    if (useLive.getState().from >= from) return;
  }
}

/** Gives the viewer a file of all that is known, up to the seq that is shown. */
export async function saveAll(): Promise<void> {
  const { from, last, at } = useLive.getState();
  await saveRange({ from, to: at ?? last });
}

/** Shows a file of events on all screens. What is wrong with it is said as a notice. */
export async function openFile(file: File): Promise<void> {
  try {
    const { timeline, head } = opened(await file.text());
    showFile(file.name, timeline, head);
    goLive();
  } catch (error) {
    useLive.setState({ notice: `${file.name} cannot be shown: ${(error as Error).message}` });
  }
}

/** Opens files that are dropped anywhere on the page. */
export function acceptDrops(): void {
  addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    const dropped = event.dataTransfer?.files[0];
    if (!dropped) return;
    event.preventDefault();
    void openFile(dropped);
  });
}
