import type { Filter } from "@flock-ts/protocol";
import type { Position } from "./cursor.ts";

/**
 * Returns the WebSocket URL that requests a filter and a position; `http` becomes `ws`, and `https` becomes `wss`.
 *
 * @throws TypeError if `url` is relative and there is no page that it is relative to.
 */
export function connectionUrl(url: string | URL, filter: Filter, position: Position | undefined): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  const result = new URL(url, base);
  result.protocol = result.protocol.replace(/^http/, "ws");
  result.hash = "";
  for (const [name, value] of Object.entries({ ...filter, ...position })) {
    if (value !== undefined) result.searchParams.set(name, String(value));
  }
  return result;
}
