import { createStore, type StoreApi } from "zustand/vanilla";
import type { Session } from "./session.ts";
import type { SessionView } from "./store.ts";

/** A range of seqs, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The range of the log that the viewer is selecting to save. */
export class RangeSelection {
  readonly #session: Pick<Session, "notify">;
  readonly #view: Pick<StoreApi<SessionView>, "getState">;
  /** The range; null while none is being selected. */
  readonly selected = createStore<{ readonly range: Range | null }>(() => ({ range: null }));

  /** @param view the read model of the session. */
  constructor(session: Pick<Session, "notify">, view: Pick<StoreApi<SessionView>, "getState">) {
    this.#session = session;
    this.#view = view;
  }

  /** Starts with all events in the tab, up to the seq that is shown. */
  choose(): void {
    const { from, last, at } = this.#view.getState();
    if (last < from) this.#session.notify("No events to save yet.");
    else this.selected.setState({ range: { from, to: at ?? last } });
  }

  /** Moves one end of the range. The other end moves along when they would cross. */
  move(end: "from" | "to", seq: number): void {
    const { range } = this.selected.getState();
    if (!range) return;
    const { oldest, last } = this.#view.getState();
    const at = Math.max(oldest, Math.min(last, Math.round(seq)));
    this.selected.setState({
      range: end === "from" ? { from: at, to: Math.max(at, range.to) } : { from: Math.min(at, range.from), to: at },
    });
  }

  /** Ends the selection. */
  leave(): void {
    this.selected.setState({ range: null });
  }
}
