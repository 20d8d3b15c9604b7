import { session, timeTravel } from "../../session/tab-session.ts";

/** Shows the next failure, or the one before; says so when there is none. */
export async function lookForError(direction: 1 | -1): Promise<void> {
  const found = await timeTravel.toError(direction);
  if (found === "found") return;
  const where = direction === 1 ? "after" : "before";
  const notice =
    found === "none" ? `There is no error ${where} this.` : `No error yet: press again to look further ${where} this.`;
  session.notify(notice);
}
