import { isLimited } from "../session/store.ts";
import { useSession } from "../session/tab-session.ts";
import { short } from "./format.ts";

/** Why something that a visible thing refers to is not here: whether permissions hide it, or may do so. */
export type Unseen = "older" | "hidden" | "either";

/** What it means for this viewer that an artifact or a run is not known. */
export function useUnseen(): Unseen {
  return useSession((live) => {
    if (!isLimited(live)) return "older";
    const { from, gaps, fileHead } = live;
    return from <= 1 && gaps.length === 0 && fileHead === null ? "hidden" : "either";
  });
}

/** The name of such a thing. */
export function unseenName(thing: "artifact" | "run", unseen: Unseen, id: string): string {
  return unseen === "hidden" ? `hidden ${thing}` : short(id);
}

/** Why it is not here, in words. */
export const UNSEEN_WORDS: Readonly<Record<Unseen, string>> = {
  older: "no longer retained",
  hidden: "hidden from you",
  either: "hidden from you, or no longer retained",
};
