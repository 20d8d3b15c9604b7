import { isBranch } from "./node-text.ts";
import type { PathPart } from "./path-text.ts";

/** Where a payload is: in memory, or at a URL whose response contains it at a path. */
export type PayloadSource =
  | { readonly value: unknown }
  | { readonly url: string; readonly at: readonly PathPart[]; readonly headers?: Readonly<Record<string, string>> };

/** Returns the payload. Fetches it from a URL. */
export async function payloadAt(source: PayloadSource): Promise<unknown> {
  if ("value" in source) return source.value;
  const { url, at, headers = {} } = source;
  const response = await fetch(url, { headers });
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(body?.error?.message ?? `${url} returned ${response.status}`);
  return at.reduce<unknown>((value, part) => (value as Record<PathPart, unknown> | undefined)?.[part], body);
}

/**
 * Payloads with more values than this are processed in a worker, because they would block the page for several
 * frames.
 */
const FEW = 20_000;

/** Whether a value is small enough to be processed here. Visits at most that many values. */
export function isFew(value: unknown): boolean {
  const left = [value];
  for (let seen = 0; left.length > 0; ) {
    const one = left.pop();
    if (!isBranch(one)) continue;
    const entries = Array.isArray(one) ? one : Object.values(one);
    seen += entries.length;
    if (seen > FEW) return false;
    for (const entry of entries) if (isBranch(entry)) left.push(entry);
  }
  return true;
}
