import { type Live, useLive } from "../live/store.ts";

/** Why nothing can be done now; null when it can. */
export function whyNot({ file, at, connection, complete }: Pick<Live, "file" | "at" | "connection" | "complete">) {
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
  return useLive(whyNot);
}

/** What somebody is told who does not own the flock. */
export const OWNER_ONLY = "Pausing concerns everybody's work: it is for the owner of this flock alone.";
