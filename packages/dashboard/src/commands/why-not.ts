import type { SessionView } from "../session/store.ts";
import { useSession } from "../session/tab-session.ts";

/** Why nothing can be done now; null when it can. */
export function whyNot({
  file,
  at,
  connection,
  complete,
}: Pick<SessionView, "file" | "at" | "connection" | "complete">) {
  if (file !== null) return "Not available for event files.";
  if (connection.status !== "live" && connection.status !== "catching-up")
    return "Not available while disconnected from the server.";
  if (!complete) return "Still loading.";
  if (at !== null)
    return `You are viewing the state at seq ${at.toLocaleString("en")}, but actions apply to the current state. Go live first (key l).`;
  return null;
}

/** The same for a component. */
export function useWhyNot(): string | null {
  return useSession(whyNot);
}

/** Why this viewer may pause nothing; null for the owner, from whom nothing is hidden. */
export function whyNotPause({ file, connection }: Pick<SessionView, "file" | "connection">): string | null {
  if (file !== null || !connection.limited) return null;
  return "Only the owner of this flock can pause agents.";
}

/** The same for a component. */
export function useOwnerOnly(): string | null {
  return useSession(whyNotPause);
}
