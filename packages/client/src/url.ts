import type { Filter } from "@flock-ts/protocol";

/** Where in which log a client is. */
export interface Place {
  readonly since: number;
  /** Absent in what the application asked for without knowing a log. */
  readonly epoch?: string | undefined;
}

/** The URL of the WebSocket that says everything the connection needs; `http` becomes `ws`, `https` `wss`. */
export function addressOf(url: string | URL, filter: Filter, place: Place | undefined): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  const address = new URL(url, base);
  address.protocol = address.protocol.replace(/^http/, "ws");
  address.hash = "";
  const said = { ...filter, ...place };
  for (const [name, value] of Object.entries(said)) {
    if (value !== undefined) address.searchParams.set(name, String(value));
  }
  return address;
}
