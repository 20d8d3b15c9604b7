import { useLive } from "../live/store.ts";
import { toError } from "../live/travel.ts";

/** Shows the next failure, or the one before; says so when there is none. */
export function lookForError(direction: 1 | -1): void {
  if (toError(direction)) return;
  useLive.setState({ notice: `There is no error ${direction === 1 ? "after" : "before"} this.` });
}
