import type { ConnectionState } from "@flock-ts/client";

/** The input of the status text. */
export interface StatusInput {
  readonly connection: ConnectionState;
  /** Whether the tab has processed everything that the connection delivered. */
  readonly complete: boolean;
  /** The newest seq that the tab has. */
  readonly last: number;
  /** As `Date.now()` counts; null while there is a connection. */
  readonly offlineSince: number | null;
}

/** The overall state of a connection, which selects its color and shape. */
export type Severity = "live" | "busy" | "offline";

export function severityOf({ connection: { status, epoch }, complete }: StatusInput): Severity {
  if (status === "live") return complete ? "live" : "busy";
  return status === "catching-up" || epoch === null ? "busy" : "offline";
}

/** Returns the state of the connection as text. `now` as `Date.now()` counts. */
export function connectionWords({ connection, complete, last, offlineSince }: StatusInput, now: number): string {
  const { status, attempt, retryAt, epoch, head } = connection;
  if (status === "catching-up" || (status === "live" && !complete)) {
    return head > last ? `Catching up: ${count(head - last)} events behind` : "Catching up";
  }
  if (status === "live") return "Live";
  if (status === "closed") return "Disconnected";
  if (epoch === null) return `Connecting${attempt > 1 ? ` (attempt ${attempt})` : ""}`;
  const since = offlineSince === null ? "" : ` since ${timeOf(offlineSince)}`;
  const next = status === "waiting" ? Math.max(0, Math.ceil(((retryAt ?? now) - now) / 1_000)) : 0;
  return `Offline${since}, showing seq ${count(last)}. ${next > 0 ? `Reconnecting in ${next} s` : "Reconnecting"}`;
}

/** Returns the same without values that change every second, for screen readers. */
export function connectionSummary(input: StatusInput): string {
  const { status, epoch } = input.connection;
  if (status === "closed") return "Disconnected";
  const severity = severityOf(input);
  if (severity === "live") return "Live";
  if (severity === "offline") return "Offline";
  return status === "catching-up" || status === "live" ? "Catching up" : epoch === null ? "Connecting" : "Reconnecting";
}

function count(amount: number): string {
  return amount.toLocaleString("en");
}

/** Returns hours and minutes in the viewer's time zone. */
function timeOf(at: number): string {
  const date = new Date(at);
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}
