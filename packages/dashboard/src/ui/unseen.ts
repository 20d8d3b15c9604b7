import { isLimited } from "../session/store.ts";
import { useSession } from "../session/tab-session.ts";
import { short } from "./format.ts";

/** Why a referenced item is missing: permissions hide it, or may hide it, or it is no longer retained. */
export type Unseen = "older" | "hidden" | "either";

/** Returns what a missing artifact or run means for this viewer. */
export function useUnseen(): Unseen {
  return useSession((live) => {
    if (!isLimited(live)) return "older";
    const { from, gaps, fileHead } = live;
    return from <= 1 && gaps.length === 0 && fileHead === null ? "hidden" : "either";
  });
}

/** Returns the name of a missing item. */
export function unseenName(thing: "artifact" | "run", unseen: Unseen, id: string): string {
  return unseen === "hidden" ? `hidden ${thing}` : short(id);
}

/** The reasons as text. */
export const UNSEEN_WORDS: Readonly<Record<Unseen, string>> = {
  older: "no longer retained",
  hidden: "hidden from you",
  either: "hidden from you, or no longer retained",
};
