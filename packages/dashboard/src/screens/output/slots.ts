import type { RunState } from "@flock-ts/protocol";

/**
 * Assigns streams to panes. A run keeps its pane while it runs, and then until another run needs the pane.
 *
 * @param before the previous runs, by pane.
 * @param pinned runs that always keep their pane.
 */
export function slotsOf(
  before: readonly string[],
  runs: ReadonlyMap<string, RunState>,
  count: number,
  pinned: readonly string[] = [],
): string[] {
  const slots: (string | undefined)[] = before.slice(0, count).map((id) => (runs.has(id) ? id : undefined));
  while (slots.length < count) slots.push(undefined);
  const isBusy = (id: string | undefined) => id !== undefined && runs.get(id)?.status === "running";
  const wanted = [
    ...pinned.filter((id) => runs.has(id)),
    // Runs with output, the newest first.
    ...[...runs.values()]
      .filter(({ status, stream }) => status === "running" && stream)
      .map(({ run_id }) => run_id)
      .reverse(),
  ].slice(0, count);
  for (const id of wanted) {
    if (slots.includes(id)) continue;
    let place = slots.indexOf(undefined);
    if (place < 0) place = slots.findIndex((slot) => !isBusy(slot) && !pinned.includes(slot as string));
    if (place < 0 && pinned.includes(id)) place = slots.findIndex((slot) => !pinned.includes(slot as string));
    if (place >= 0) slots[place] = id;
  }
  if (slots.includes(undefined)) {
    for (const { run_id, stream } of [...runs.values()].reverse()) {
      const place = slots.indexOf(undefined);
      if (place < 0) break;
      if (stream && !slots.includes(run_id)) slots[place] = run_id;
    }
  }
  return slots.filter((id) => id !== undefined);
}
