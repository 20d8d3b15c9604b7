import type { Filter } from "@flock-ts/protocol";
import type { Position } from "./cursor.ts";

/** The address of a server, or a function that returns one for each attempt, for example with a new ticket. */
export type Address = string | URL | (() => string | URL | Promise<string | URL>);

/** The longest filter in a URL, in characters. Proxies and servers refuse URLs of some thousand characters. */
const MAX_FILTER_LENGTH = 1_500;
/** What a URL cannot carry: names are separated by commas and trimmed, and UTF-8 has no lone surrogates. */
const UNFIT = /^$|,|^\s|\s$|\p{Cs}/u;
/** The URL filter of a connection that subscribes later. It matches no event, because the server generates the ids of runs. */
const NOTHING: Filter = { run_id: "-" };

/** Returns whether a URL can carry a filter. A filter that does not fit is sent with `subscribe`. */
export function fitsInUrl(filter: Filter): boolean {
  const names = Object.values(filter)
    .flat()
    .filter((name) => name !== undefined);
  return !names.some((name) => UNFIT.test(name)) && encodeURIComponent(names.join()).length <= MAX_FILTER_LENGTH;
}

/** The parts of a filter. */
const PARTS = ["types", "agents", "artifact_types", "correlation_id", "run_id"] satisfies (keyof Filter)[];

/**
 * Throws a TypeError for a filter with an unknown part. The server ignores unknown parameters of a URL, so that a
 * misspelled part would let all events pass.
 */
export function checkFilter(filter: Filter): void {
  for (const name of Object.keys(filter)) {
    if (!(PARTS as string[]).includes(name)) {
      throw new TypeError(`Invalid filter: it has no \`${name}\`. Use ${PARTS.join(", ")}.`);
    }
  }
}

/**
 * Returns the WebSocket URL that requests a filter and a position; `http` becomes `ws`, and `https` becomes `wss`. For a
 * filter that does not fit, the URL requests no events.
 *
 * @throws TypeError if `url` is no address of a server, or is relative and there is no page that it is relative to.
 */
export function connectionUrl(url: string | URL, filter: Filter, position: Position | undefined): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  const result = URL.canParse(url, base) ? new URL(url, base) : undefined;
  if (!result || !/^(http|ws)s?:$/.test(result.protocol)) {
    throw new TypeError(
      `Cannot connect: \`${url}\` is no address of a server. Use one such as \`http://localhost:8000/plugin/ws\`.`,
    );
  }
  result.protocol = result.protocol.replace(/^http/, "ws");
  result.hash = "";
  for (const [name, value] of Object.entries(fitsInUrl(filter) ? { ...filter, ...position } : NOTHING)) {
    if (value !== undefined) result.searchParams.set(name, String(value));
  }
  return result;
}
