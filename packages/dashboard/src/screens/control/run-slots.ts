/**
 * Assigns running runs to rows. A run keeps its row while it runs, and then until another run takes the row, so that
 * no button moves while you use it.
 *
 * @param before the previous rows.
 * @param running the running runs, the oldest first.
 */
export function runSlots(before: readonly string[], running: readonly string[]): readonly string[] {
  const isRunning = new Set(running);
  const had = new Set(before);
  const arriving = running.filter((id) => !had.has(id));
  const rows = before.map((id) => (isRunning.has(id) ? id : (arriving.shift() ?? id)));
  rows.push(...arriving);
  while (rows.length > 0 && !isRunning.has(rows.at(-1) as string)) rows.pop();
  return rows;
}
