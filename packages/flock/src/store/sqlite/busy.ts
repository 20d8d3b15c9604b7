import { setTimeout as sleep } from "node:timers/promises";
import { BUSY, errorCode } from "./errors.ts";

/** The pauses between two attempts, in ms: short at first, since most locks are held for a commit or a checkpoint. */
const PAUSES_MS = { first: 2, longest: 50 };
/** How long attempts go on, in ms. */
const LIMIT_MS = 30_000;

/** Limits of {@link retryWhileBusy}. */
export interface RetryOptions {
  /** In ms. Default 30,000. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Whether SQLite refused an operation because another connection holds a lock. */
export function isBusy(error: unknown): boolean {
  return errorCode(error) === BUSY;
}

/**
 * Repeats an operation that found the database locked until it succeeds, fails for another reason, or 30 s have passed.
 * SQLite's own `busy_timeout` would block the event loop. The pauses use the machine's timers even when a test passes in
 * another clock: a lock of another process does not follow that clock.
 */
export async function retryWhileBusy<T>(
  operation: () => T,
  { limitMs = LIMIT_MS, signal }: RetryOptions = {},
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (let pause = PAUSES_MS.first; ; pause = Math.min(2 * pause, PAUSES_MS.longest)) {
    await sleep(pause, undefined, { signal });
    try {
      return operation();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
  }
}
