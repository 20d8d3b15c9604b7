import { randomUUIDv7 } from "node:crypto";

/** A new id, unlike any other: a UUID of version 7 (RFC 9562), so that an index by id grows at its end. */
export function newId(): string {
  return randomUUIDv7();
}
