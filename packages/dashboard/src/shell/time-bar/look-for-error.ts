import { session, timeTravel } from "../../session/tab-session.ts";

/** Shows the next or the previous failure, or a notice without one. */
export async function lookForError(direction: 1 | -1): Promise<void> {
  const found = await timeTravel.toError(direction);
  if (found === "found") return;
  const where = direction === 1 ? "after" : "before";
  const notice =
    found === "none"
      ? `No errors ${where} this seq.`
      : `No errors found yet. Press again to search further ${where} this seq.`;
  session.notify(notice);
}
