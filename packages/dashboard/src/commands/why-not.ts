import type { SessionView } from "../session/store.ts";
import { useSession } from "../session/tab-session.ts";

/** Why nothing can be done now; null when it can. */
export function whyNot({
  file,
  at,
  connection,
  complete,
}: Pick<SessionView, "file" | "at" | "connection" | "complete">) {
  if (file !== null) return "This is a file of events: there is no server that could do anything.";
  if (connection.status !== "live" && connection.status !== "catching-up")
    return "There is no connection to the server: nothing can be done until it is back.";
  if (!complete) return "This page has not taken in yet what the server has to tell: wait a moment.";
  if (at !== null)
    return `This is how it was at seq ${at.toLocaleString("en")}; what is done happens now. Go back to live first (key l).`;
  return null;
}

/** The same for a component. */
export function useWhyNot(): string | null {
  return useSession(whyNot);
}

/** Why this viewer may pause nothing; null for the owner, from whom nothing is hidden. */
export function whyNotPause({ file, connection }: Pick<SessionView, "file" | "connection">): string | null {
  if (file !== null || !connection.limited) return null;
  return "Pausing concerns everybody's work: it is for the owner of this flock alone.";
}

/** The same for a component. */
export function useOwnerOnly(): string | null {
  return useSession(whyNotPause);
}
