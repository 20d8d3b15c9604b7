import type { SessionView } from "../session/store.ts";
import { useSession } from "../session/tab-session.ts";

/** Returns why no action is available now; null when actions are available. */
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

/** Reads the same in a component. */
export function useWhyNot(): string | null {
  return useSession(whyNot);
}

/** Returns why this viewer cannot pause agents; null for the owner, from whom nothing is hidden. */
export function whyNotPause({ file, connection }: Pick<SessionView, "file" | "connection">): string | null {
  if (file !== null || !connection.limited) return null;
  return "Only the owner of this flock can pause agents.";
}

/** Reads the same in a component. */
export function useOwnerOnly(): string | null {
  return useSession(whyNotPause);
}
