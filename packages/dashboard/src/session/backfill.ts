import { eventsUrl } from "../connection/config.ts";
import { FIRST_EVENTS } from "../connection/direct-feed.ts";
import { getJson } from "../connection/rest.ts";
import { KEPT_EVENTS } from "../timeline/timeline.ts";
import { graphNow } from "./connection.ts";
import { begunAt, readOlder, withOlder } from "./event-pages.ts";
import { useSession } from "./store.ts";
import { know, knownTimeline, publish, show } from "./view.ts";

/** Everything that the server had to tell is here for the first time: what lies before it? */
export async function arrived(): Promise<void> {
  const { config } = useSession.getState();
  if (!config) return;
  const page = await getJson<{ oldest: number }>(eventsUrl(config, { after: 0, limit: 1 })).catch(() => null);
  const timeline = knownTimeline();
  if (page) {
    useSession.setState({ oldest: Math.min(page.oldest, timeline.first) });
    // Fewer than were asked for: before them is nothing for us.
    if (timeline.log().length < FIRST_EVENTS) timeline.reaches(page.oldest);
  }
  if (timeline.first <= 1) return;
  const graph = await graphNow();
  if (graph) timeline.begin(graph);
  publish();
  void loadHistory().catch(() => {});
}

/** Loads what came before, until the tab has as much as it keeps; the viewer sees what is now all the while. */
async function loadHistory(): Promise<void> {
  const { config, connection, file } = useSession.getState();
  const mine = knownTimeline();
  if (!config || file !== null) return;
  let from = mine.from;
  let found = 0;
  const older = async function* () {
    for await (const piece of readOlder(config, mine.from, KEPT_EVENTS - mine.log().length, connection.epoch)) {
      from = piece.from;
      found += piece.events.length;
      if (mine !== knownTimeline()) return;
      yield piece.events;
    }
  };
  let joined = await withOlder(older(), mine);
  if (mine !== knownTimeline()) return;
  if (found === 0) {
    mine.reaches(from);
    publish();
    return;
  }
  // Of large events it may not have kept all.
  if (joined.forgotten > 0) from = joined.from;
  if (joined.first > 1) {
    const graph = await graphNow();
    joined.append(mine.log().slice(mine.log().indexOf(joined.last) + 1));
    if (graph) joined = await begunAt(joined.baseFor(graph), joined, mine);
  }
  joined.reaches(from);
  if (mine !== knownTimeline()) return;
  know(joined);
  publish();
  show();
}

/** Lets the server say what the agents have done in all, where the events that we have cannot. */
export async function countAnew(): Promise<void> {
  const mine = knownTimeline();
  const graph = await graphNow();
  if (!graph || mine !== knownTimeline()) return;
  mine.mark({ kind: "graph", at: graph.seq, graph });
  publish();
}
