import { Flock, type OpenFlockOptions } from "flock-ts";
import { critic } from "./agents/critic.ts";
import { editor } from "./agents/editor.ts";
import { factFinder } from "./agents/fact-finder.ts";
import { outliner } from "./agents/outliner.ts";
import { stylist } from "./agents/stylist.ts";
import { summariser } from "./agents/summariser.ts";

/** Options of {@link newsroom}, in addition to the flock's own. */
export interface NewsroomOptions extends OpenFlockOptions {
  /** Delay between two words of the summary, in ms, for people who watch. Default: 15. */
  readonly pauseMs?: number;
}

/** Opens a flock of six agents that review an article. Summariser and critic use a model if there is one. */
export async function newsroom({ pauseMs = 15, ...options }: NewsroomOptions = {}): Promise<Flock> {
  const flock = await Flock.open(options);
  outliner(flock);
  factFinder(flock);
  stylist(flock);
  summariser(flock, pauseMs, options.model !== undefined);
  editor(flock);
  critic(flock);
  return flock;
}
