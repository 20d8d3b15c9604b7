import type { FlockEvent } from "@flock-ts/protocol";
import { session, useSession } from "../session/tab-session.ts";

/** How long after the last event that concerns something the server is asked about it, in ms. */
const ASK_AFTER = 100;

/**
 * Calls `ask` when this tab has caught up, and again shortly after events that concern it, whatever seq is shown. For what only the
 * server knows, of which the log merely tells that it is no longer the same. Returns how to stop that.
 */
export function refetchOn(concerns: (event: FlockEvent) => boolean, ask: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, ASK_AFTER);
  };
  const { config, complete } = useSession.getState();
  if (config && complete) ask();
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

/** Whether something newer than a seq concerns it. */
function hasNews(after: number, concerns: (event: FlockEvent) => boolean): boolean {
  const log = session.timeline.log();
  for (let index = log.length - 1; index >= 0; index--) {
    const event = log.at(index);
    if (!event || event.seq <= after) return false;
    if (concerns(event)) return true;
  }
  return false;
}
