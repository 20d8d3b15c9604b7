import { setTimeout } from "node:timers/promises";

/**
 * Resolves after `ms`. Use it only for simulated work and for random pauses before a kill.
 * To wait for a condition, use `until` or a signal.
 */
export async function delay(ms: number): Promise<void> {
  await setTimeout(ms);
}
