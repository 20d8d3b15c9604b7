import { fileOf, timelineOf } from "./file.ts";
import { knownTimeline, showFile, useLive } from "./store.ts";
import { goLive } from "./travel.ts";

/** Gives the viewer a file of the events that are shown: all that is known, up to the seq that is shown. */
export function saveRange(): void {
  const { first, last, at, connection } = useLive.getState();
  const until = at ?? last;
  const blob = new Blob([fileOf(knownTimeline(), first, until, connection.epoch)], { type: "application/x-ndjson" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `flock-${first}-${until}.ndjson`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Shows a file of events on all screens. What is wrong with it is said as a notice. */
export async function openFile(file: File): Promise<void> {
  try {
    const timeline = timelineOf(await file.text());
    showFile(file.name, timeline);
    goLive();
  } catch (error) {
    useLive.setState({ notice: `${file.name} cannot be shown: ${(error as Error).message}` });
  }
}
