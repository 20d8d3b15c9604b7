import { type FlockEvent, formatRecording, mergedSeqs } from "@flock-ts/protocol";
import { hiddenWithin } from "../queries/hidden.ts";
import { readOlder } from "../session/event-pages.ts";
import { rest, session, timeTravel, useSession } from "../session/tab-session.ts";
import { type Excerpt, headOf, opened, piecesOf } from "./format.ts";

/** The part of the log to save; see {@link Excerpt}. */
export type Choice = Pick<Excerpt, "from" | "to" | "only">;

/** Counts the selected events that are in the tab. */
export function countOf(choice: Choice): number {
  let count = 0;
  for (const events of piecesOf(session.timeline, excerptOf(choice))) count += events.length;
  return count;
}

function excerptOf({ from, to, only }: Choice): Excerpt {
  const { file, fileHead, connection } = useSession.getState();
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
 * Saves events as a file. Events that are not in the tab are read from the server and not kept.
 *
 * @param onProgress is called after each chunk with the number of events written so far.
 * @returns the number of events in the file; null when `signal` has aborted it.
 * @throws Error when a request fails, or the server has started a new log.
 */
export async function saveRange(
  { from, to, only }: Choice,
  onProgress: (events: number) => void = () => {},
  signal?: AbortSignal,
): Promise<number | null> {
  const { file, oldest } = useSession.getState();
  const timeline = session.timeline;
  const begin = file === null ? Math.max(from, Math.min(oldest, timeline.from)) : from;
  const excerpt = excerptOf({ from: begin, to, ...(only ? { only } : {}) });
  const head = headOf(timeline, excerpt);
  // The browser can keep blobs on disk, unlike one large string.
  const parts: Blob[] = [];
  let count = 0;
  let hidden = excerpt.hidden ?? 0;
  const write = async (events: readonly FlockEvent[]) => {
    if (events.length > 0) parts.push(new Blob([`${events.map((event) => JSON.stringify(event)).join("\n")}\n`]));
    count += events.length;
    onProgress(count);
    await new Promise((resolve) => setTimeout(resolve));
  };
  const known = piecesOf(timeline, excerpt);
  for await (const events of olderThan(timeline.from, excerpt)) {
    // An event counts as hidden until it is read.
    for (const event of events) hidden -= 1 + mergedSeqs(event).filter((seq) => seq >= begin).length;
    await write(only ? events.filter(only.isWanted) : events);
    if (signal?.aborted) return null;
  }
  for (const events of known) {
    await write(events);
    if (signal?.aborted) return null;
  }
  parts.unshift(new Blob([formatRecording(excerpt.hidden === undefined ? head : { ...head, hidden }, [])]));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "application/x-ndjson" }));
  link.download = `flock-${excerpt.from}-${to}.ndjson`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return count;
}

/** Reads the events of an excerpt before those in the tab from the server. */
async function* olderThan(known: number, { from, to, epoch }: Excerpt): AsyncGenerator<readonly FlockEvent[]> {
  const { config, file } = useSession.getState();
  if (!config || file !== null) return;
  const end = Math.min(to + 1, known);
  for await (const { events } of readOlder({ rest, config, epoch }, end, end - from)) yield events;
}

/** Saves all events in the tab as a file, up to the seq that is shown. */
export async function saveAll(): Promise<void> {
  const { from, last, at } = useSession.getState();
  await saveRange({ from, to: at ?? last });
}

/** Opens an event file on all screens. Shows a notice when it is invalid. */
export async function openFile(file: File): Promise<void> {
  try {
    const { timeline, head } = opened(await file.text());
    session.openRecording(file.name, timeline, head);
    timeTravel.goLive();
  } catch (error) {
    session.notify(`${file.name} cannot be shown: ${(error as Error).message}`);
  }
}

/** Opens files that are dropped on the page. */
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
