/**
 * Which runs are listed, by row. Each keeps its row for as long as it runs, and after that until another one takes it: what
 * stands under a hand that is about to press a button stays there.
 *
 * @param before what was listed so far.
 * @param running the runs that go on now, the oldest first.
 */
export function standing(before: readonly string[], running: readonly string[]): readonly string[] {
  const goesOn = new Set(running);
  const had = new Set(before);
  const arriving = running.filter((id) => !had.has(id));
  const rows = before.map((id) => (goesOn.has(id) ? id : (arriving.shift() ?? id)));
  rows.push(...arriving);
  while (rows.length > 0 && !goesOn.has(rows.at(-1) as string)) rows.pop();
  return rows;
}
