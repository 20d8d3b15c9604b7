import { PATIENCE } from "./changes.ts";
import { delay } from "./delay.ts";

/** The time between two checks, in ms. */
const INTERVAL_MS = 5;

/**
 * Polls a condition that no event or message reports. Prefer a signal where one exists.
 *
 * `describe` names the condition in the error.
 *
 * @throws if the condition does not hold after `within` ms.
 */
export async function until(
  condition: () => boolean,
  { within = PATIENCE, describe }: { readonly within?: number; readonly describe: string },
): Promise<void> {
  const deadline = performance.now() + within;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${within} ms for ${describe}`);
    await delay(INTERVAL_MS);
  }
}
