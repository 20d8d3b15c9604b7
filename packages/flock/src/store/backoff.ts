/** The first wait after a failed commit, in milliseconds. Locks of other programs are mostly this short. */
const FIRST_MS = 100;
/** The longest wait, in milliseconds. A full disk stays full for a while, and a freed one is noticed this soon. */
const LONGEST_MS = 5_000;

/**
 * Returns how long to wait after so many failed commits in a row (from 1), in milliseconds: twice as long each time, up
 * to 5 s. Half of it is random, so that writers that failed together do not fail together again.
 */
export function backoff(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return longest / 2 + (longest / 2) * random();
}
