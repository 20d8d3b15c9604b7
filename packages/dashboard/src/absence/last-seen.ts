import { useSession } from "../session/store.ts";
import { knownTimeline } from "../session/view.ts";
import { AWAY_MS } from "./detect.ts";
import { awayFrom } from "./summary.ts";

/** How far a viewer had come, and when. */
export interface Left {
  readonly epoch: string | null;
  readonly seq: number;
  /** As `Date.now()` counts. */
  readonly at: number;
}

/** How far they are now. */
export function placeNow(): Left {
  return { epoch: useSession.getState().connection.epoch, seq: knownTimeline().last, at: Date.now() };
}

const SEEN = "flock-seen";

/** How far a viewer had come in an earlier life of this page. */
export function seenBefore(): Left | undefined {
  try {
    return JSON.parse(localStorage.getItem(SEEN) ?? "") as Left;
  } catch {
    return undefined;
  }
}

/** Keeps for the page's next life how far it has come. */
export function remember(): void {
  if (useSession.getState().file === null) localStorage.setItem(SEEN, JSON.stringify(placeNow()));
}

/** Says what has happened since then, when that was long ago. */
export function tellWhatWasMissed(left: Left): void {
  if (left.epoch !== useSession.getState().connection.epoch || Date.now() - left.at < AWAY_MS) return;
  const away = awayFrom(knownTimeline().log(), left.seq);
  if (away) useSession.setState({ away });
}
