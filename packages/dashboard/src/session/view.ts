import { adjust } from "../router/route.ts";
import { Timeline } from "../timeline/timeline.ts";
import { useSession } from "./store.ts";
import { type Past, readPast } from "./window.ts";

let timeline = new Timeline();
/** Where the viewer is, while that is before what `timeline` has. */
let past: Past | undefined;

/** Knows another log than before, or more of the same one. */
export function know(known: Timeline): void {
  timeline = known;
}

/** What is known is of another log. */
export function startAnew(): void {
  timeline = new Timeline();
  past = undefined;
  useSession.setState({ complete: false, past: null });
}

/** Shows the state at a seq on every screen; null: what happens now. */
export function showAt(at: number | null): void {
  if (at === useSession.getState().at) return;
  useSession.setState({ at });
  show();
}

/** The newest events and states, for whoever asks of other seqs than the one that is shown. */
export function knownTimeline(): Timeline {
  return timeline;
}

/** The events and states around the seq that is shown: the newest ones, or a stretch of long ago. */
export function shownTimeline(): Timeline {
  return past?.timeline ?? timeline;
}

/** Whether the events around a seq are here. */
export function isHere(seq: number): boolean {
  return past ? past.from <= seq && seq <= past.to : seq >= timeline.from;
}

/** Resolves when the seq that was asked for is shown, or cannot be. */
export async function shown(): Promise<void> {
  while (visiting) await visiting;
}

/** Shows the seq that the viewer has gone to. One that lies far back is shown as soon as it is here. */
export function show(): void {
  const { at, complete, file, oldest } = useSession.getState();
  // A link may lead to what retention has dropped since.
  if (at !== null && complete && file === null && at < Math.min(oldest, timeline.from)) {
    const [asked, first] = [at, oldest].map((seq) => seq.toLocaleString("en"));
    useSession.setState({ notice: `Seq ${asked} is no longer kept. This is the oldest one that is, ${first}.` });
    adjust({ seq: oldest });
    return;
  }
  if (isLongAgo(at)) {
    if (!past || !isHere(at)) {
      visiting ??= visit(at).finally(() => {
        visiting = undefined;
        const { at: next, state } = useSession.getState();
        if (next !== at && isLongAgo(next) && state.seq !== next) show();
      });
      return;
    }
  } else past = undefined;
  const seq = at ?? Number.POSITIVE_INFINITY;
  const here = shownTimeline();
  useSession.setState({
    state: here.at(seq),
    log: here.log(seq),
    past: past ? { from: past.from, to: past.to } : null,
  });
}

/** Whether only the server has what was then. */
function isLongAgo(at: number | null): at is number {
  const { complete, file, oldest } = useSession.getState();
  return at !== null && complete && file === null && at < timeline.from && oldest < timeline.from;
}

let visiting: Promise<void> | undefined;

/** Reads the log around a seq, unless the viewer goes elsewhere. */
async function visit(seq: number): Promise<void> {
  const { config, connection, oldest } = useSession.getState();
  if (!config) return;
  useSession.setState({ isLoading: true });
  try {
    const source = { config, epoch: connection.epoch, oldest, until: timeline.from, head: timeline.head };
    for await (const stretch of readPast(seq, source)) {
      const { at } = useSession.getState();
      if (!isLongAgo(at) || (at !== seq && (at < stretch.from || at > stretch.to))) return;
      if (stretch.to < seq) continue;
      const isHere = past?.timeline === stretch.timeline;
      past = stretch;
      if (isHere) useSession.setState({ past: { from: past.from, to: past.to } });
      else show();
    }
  } catch (error) {
    useSession.setState({ notice: `Seq ${seq.toLocaleString("en")} cannot be shown: ${(error as Error).message}` });
  } finally {
    useSession.setState({ isLoading: false });
  }
}

/** Lets the screens see what has been taken in. */
export function publish(): void {
  const { at, state, last } = useSession.getState();
  useSession.setState({ first: timeline.first, last: timeline.last, from: timeline.from, gaps: timeline.gaps });
  // Who looks at the past sees nothing of what comes, unless it belongs there and has only come now.
  if (at === null || at > last || (at < timeline.first && !isLongAgo(at)) || state.seq === 0) show();
}
