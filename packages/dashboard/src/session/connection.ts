import type { ConnectionState } from "@flock-ts/client";
import type { GraphSnapshot } from "@flock-ts/protocol";
import type { CommandAnswer, CommandName, CommandRequest, Feed } from "../connection/feed.ts";
import { useSession } from "./store.ts";

let feed: Feed | undefined;

/** Uses a feed from here on; undefined: there is no server. */
export function connectTo(mine: Feed | undefined): void {
  feed = mine;
  mine?.watch(changed);
}

/** Whether a feed is the one that is used. */
export function isUsed(mine: Feed): boolean {
  return feed === mine;
}

/** Sends a command to the server. @throws FlockClientError */
export async function command<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>> {
  if (!feed) throw new Error("there is no server here: this is a file, or the connection is still being made");
  return feed.call(name, request);
}

/** Does not wait for the next attempt to connect. */
export function retryNow(): void {
  feed?.retryNow();
}

/** What agents have done in all, as the server counts it now; undefined when it cannot be asked. */
export async function graphNow(): Promise<GraphSnapshot | undefined> {
  return feed?.call("graph", undefined as never).catch(() => undefined);
}

/** Breaks that are remembered. */
const BREAKS = 50;

function changed(connection: ConnectionState): void {
  useSession.setState(({ offlineSince, breaks, connection: before }) => ({
    ...(connection.status === "waiting" && (before.status === "live" || before.status === "catching-up")
      ? { breaks: [...breaks, { at: Date.now(), reason: connection.reason ?? "closed" }].slice(-BREAKS) }
      : {}),
    connection,
    offlineSince:
      connection.status === "live" || connection.status === "catching-up" ? null : (offlineSince ?? Date.now()),
  }));
  const { offlineSince, complete } = useSession.getState();
  if (offlineSince !== null && complete) lostAt ??= offlineSince;
}

/** Since when the tab has not been current, because there was no connection; undefined while it is. */
let lostAt: number | undefined;

export function lostSince(): number | undefined {
  return lostAt;
}

/** Says that the tab is current. */
export function isCurrentAgain(): void {
  lostAt = undefined;
}
