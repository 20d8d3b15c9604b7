import { FlockError } from "../core/errors.ts";

/**
 * Whether a commit failed because the store can never take what was in it, such as a value that is not JSON or a
 * conflict. Every other failure may pass: a lock, a full disk, a lost connection.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof FlockError) return error.code === "store_refused" || error.code === "conflict";
  return error instanceof TypeError || error instanceof RangeError;
}
