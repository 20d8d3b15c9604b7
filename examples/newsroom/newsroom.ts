import { Flock, type FlockOptions } from "flock-ts";
import { critic } from "./agents/critic.ts";
import { editor } from "./agents/editor.ts";
import { factFinder } from "./agents/fact-finder.ts";
import { outliner } from "./agents/outliner.ts";
import { stylist } from "./agents/stylist.ts";
import { summariser } from "./agents/summariser.ts";

/** What {@link newsroom} can be told, beside the flock's own options. */
export interface NewsroomOptions extends FlockOptions {
  /** Between two words of the summary, in ms; default 15, so that people can watch it. */
  readonly pauseMs?: number;
}

/** A flock of six agents that review an article; summariser and critic ask a model if there is one. */
export function newsroom({ pauseMs = 15, ...options }: NewsroomOptions = {}): Flock {
  const flock = new Flock(options);
  outliner(flock);
  factFinder(flock);
  stylist(flock);
  summariser(flock, pauseMs, options.model !== undefined);
  editor(flock);
  critic(flock);
  return flock;
}
