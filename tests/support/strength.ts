/**
 * Returns the amount of work for this run: `short` in `npm test`, `soak` in `npm run soak`, which sets
 * `FLOCK_TEST_STRENGTH=soak`.
 */
export function strength<T>({ short, soak }: { readonly short: T; readonly soak: T }): T {
  return process.env.FLOCK_TEST_STRENGTH === "soak" ? soak : short;
}
