import type { ConnectionState } from "@flock/client";

/** How the connection stands, in words. `seq` is what the screen shows, `now` as `Date.now()` counts. */
export function connectionWords({ status, attempt, retryAt, epoch, head }: ConnectionState, seq: number, now: number) {
  switch (status) {
    case "live":
      return "Live";
    case "catching-up":
      return head > seq ? `Catching up: ${(head - seq).toLocaleString("en")} behind` : "Catching up";
    case "connecting":
      return `${epoch === null ? "Connecting" : "Reconnecting"}${attempt > 1 ? ` (attempt ${attempt})` : ""}`;
    case "waiting":
      return `Reconnecting in ${Math.max(0, Math.ceil(((retryAt ?? now) - now) / 1_000))} s (attempt ${attempt + 1})`;
    case "closed":
      return "Disconnected";
  }
}

/** The same without what changes by the second: what a screen reader says once. */
export function connectionSummary({ status, epoch }: ConnectionState): string {
  switch (status) {
    case "live":
      return "Live";
    case "catching-up":
      return "Catching up";
    case "closed":
      return "Disconnected";
    default:
      return epoch === null ? "Connecting" : "Reconnecting";
  }
}
