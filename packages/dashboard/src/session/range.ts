import { create } from "zustand";
import { useSession } from "./store.ts";

/** Some of the log, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The range that the viewer is about to save; null while they are not. */
export const useRange = create<{ readonly range: Range | null }>(() => ({ range: null }));

/** Begins to choose a range: all that is known, up to the seq that is shown. */
export function chooseRange(): void {
  const { from, last, at } = useSession.getState();
  if (last < from) useSession.setState({ notice: "There is no event yet that could be saved." });
  else useRange.setState({ range: { from, to: at ?? last } });
}

/** Moves an end of the range; it pushes the other one before it. */
export function moveRange(end: "from" | "to", seq: number): void {
  const { range } = useRange.getState();
  if (!range) return;
  const { oldest, last } = useSession.getState();
  const at = Math.max(oldest, Math.min(last, Math.round(seq)));
  useRange.setState({
    range: end === "from" ? { from: at, to: Math.max(at, range.to) } : { from: Math.min(at, range.from), to: at },
  });
}

/** Chooses no longer. */
export function leaveRange(): void {
  useRange.setState({ range: null });
}
