import { FlockError } from "../core/errors.ts";

/** Why a commit can never succeed with these writes: they contradict what the store holds. */
export function refusal(message: string, cause?: unknown): FlockError {
  return new FlockError("store_refused", message, { cause });
}

/** Returns the error for an idempotency key that is in use. */
export function duplicateKey(key: string, cause?: unknown): FlockError {
  return new FlockError(
    "conflict",
    `An artifact was published under the idempotency key ${JSON.stringify(key)} before. Use a new key.`,
    { cause },
  );
}

/** Returns the error for an activation that is not open. */
export function unknownActivation(id: string): FlockError {
  return refusal(`Nothing was written: there is no open activation \`${id}\`.`);
}

/** Returns the error for a dead letter that is gone. */
export function unknownDeadLetter(id: string): FlockError {
  return new FlockError("not_found", `There is no dead letter \`${id}\`: it was run again, discarded or dropped.`);
}

/**
 * Whether a commit failed because the store can never take these writes, such as a value that is not JSON or a
 * conflict. Every other failure may pass: a lock, a full disk, a lost connection.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof FlockError) {
    return error.code === "store_refused" || error.code === "conflict" || error.code === "not_found";
  }
  return error instanceof TypeError || error instanceof RangeError;
}
