import type { FlockEvent } from "@flock-ts/protocol";
import { session, useSession } from "../session/tab-session.ts";

/** The delay of a refetch after the last event, in ms. */
const REFETCH_AFTER_MS = 100;

/**
 * Calls `refetch` when this tab has caught up, and again shortly after each event that `concerns` accepts, regardless
 * of the seq shown. For data that only the server has, where events merely report a change. Returns a function that
 * stops it.
 */
export function refetchOn(concerns: (event: FlockEvent) => boolean, refetch: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(refetch, REFETCH_AFTER_MS);
  };
  const { config, complete } = useSession.getState();
  if (config && complete) refetch();
  const stop = useSession.subscribe((now, before) => {
    if (!now.config || !now.complete) return;
    const isNew = !before.complete || before.config === null;
    if (isNew || (now.last !== before.last && hasNews(before.last, concerns))) later();
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** Whether an event after a seq is accepted. */
function hasNews(after: number, concerns: (event: FlockEvent) => boolean): boolean {
  const log = session.timeline.log();
  for (let index = log.length - 1; index >= 0; index--) {
    const event = log.at(index);
    if (!event || event.seq <= after) return false;
    if (concerns(event)) return true;
  }
  return false;
}
