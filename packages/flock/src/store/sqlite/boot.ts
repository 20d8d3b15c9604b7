import { readFileSync } from "node:fs";
import { uptime } from "node:os";

/** Linux gives each start of the machine its own id. Elsewhere the start time is used. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";
/** Two readings of when the machine was started that lie this close, in ms, mean the same start. */
const SAME_BOOT_WITHIN_MS = 60_000;

/**
 * A number for this start of the machine, to be kept with what only a loss of power can take (`log.booted_at`). A time
 * alone would not do everywhere: a machine without a battery for its clock may start at the same time twice.
 */
export function bootMark(): number {
  try {
    // As much of it as a number holds exactly.
    const id = Number.parseInt(readFileSync(BOOT_ID, "utf8").replaceAll("-", "").slice(0, 12), 16);
    if (Number.isInteger(id)) return id;
  } catch {
    // Not Linux.
  }
  return Math.round(Date.now() - uptime() * 1000);
}

/** Whether two marks are of the same start. Two ids are almost always far apart. */
export function isSameBoot(a: number, b: number): boolean {
  return Math.abs(a - b) <= SAME_BOOT_WITHIN_MS;
}
