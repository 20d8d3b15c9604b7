import { describe, expect, it } from "vitest";
import { RangeSelection } from "./range.ts";
import { createSessionStore } from "./store.ts";

function selection(view: object) {
  const store = createSessionStore();
  store.setState(view);
  const notices: string[] = [];
  const range = new RangeSelection({ notify: (notice) => notices.push(notice) }, store);
  return { range, notices, selected: () => range.selected.getState().range };
}

describe("RangeSelection", () => {
  it("begins with all events in the tab, up to the seq that is shown", () => {
    const now = selection({ from: 3, last: 20 });
    now.range.choose();
    expect(now.selected()).toEqual({ from: 3, to: 20 });
    const then = selection({ from: 3, last: 20, at: 9 });
    then.range.choose();
    expect(then.selected()).toEqual({ from: 3, to: 9 });
  });

  it("moves the other end along, within the existing seqs", () => {
    const { range, selected } = selection({ from: 3, last: 20, oldest: 2 });
    range.choose();
    range.move("to", 10);
    range.move("from", 15);
    expect(selected()).toEqual({ from: 15, to: 15 });
    range.move("to", 4.4);
    expect(selected()).toEqual({ from: 4, to: 4 });
    range.move("from", -5);
    range.move("to", 99);
    expect(selected()).toEqual({ from: 2, to: 20 });
    range.leave();
    expect(selected()).toBeNull();
    range.move("to", 5);
    expect(selected()).toBeNull();
  });

  it("reports that there is nothing to save yet", () => {
    const { range, notices, selected } = selection({ from: 1, last: 0 });
    range.choose();
    expect(notices).toEqual(["No events to save yet."]);
    expect(selected()).toBeNull();
  });
});
