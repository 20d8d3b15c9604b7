import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameBatch } from "./frame-batch.ts";

/** As much of a browser as a batch needs: frames come when `paint` is called, and never in a hidden tab. */
const tab = { hidden: false, frames: new Map<number, () => void>(), listeners: new Set<() => void>() };

function paint(): void {
  if (tab.hidden) return;
  const due = [...tab.frames.values()];
  tab.frames.clear();
  for (const frame of due) frame();
}

function hide(): void {
  tab.hidden = true;
  for (const listener of tab.listeners) listener();
}

beforeEach(() => {
  tab.hidden = false;
  tab.frames.clear();
  tab.listeners.clear();
  let lastFrame = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.stubGlobal("requestAnimationFrame", (frame: () => void) => {
    tab.frames.set(++lastFrame, frame);
    return lastFrame;
  });
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => tab.frames.delete(frame));
  vi.stubGlobal("document", {
    get hidden() {
      return tab.hidden;
    },
    addEventListener: (_name: string, listener: () => void) => tab.listeners.add(listener),
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("many items, one paint", () => {
  it("what comes between two frames is given on together, in order", () => {
    const batches: (readonly number[])[] = [];
    const batch = new FrameBatch<number>((items) => batches.push(items));
    for (const item of [1, 2, 3]) batch.add(item);
    expect(batches).toEqual([]);
    paint();
    batch.add(4);
    paint();
    paint();
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  it("a flush gives on at once, and the frame has nothing left to do", () => {
    const apply = vi.fn();
    const batch = new FrameBatch<number>(apply);
    batch.add(1);
    batch.flush();
    paint();
    batch.flush();
    expect(apply.mock.calls).toEqual([[[1]]]);
  });

  it("what is added while a batch is applied comes with the next one", () => {
    const batches: (readonly number[])[] = [];
    const batch = new FrameBatch<number>((items) => {
      batches.push(items);
      if (items[0] === 1) batch.add(2);
    });
    batch.add(1);
    paint();
    paint();
    expect(batches).toEqual([[1], [2]]);
  });
});

describe("a tab that is hidden keeps up", () => {
  it("without frames", () => {
    const apply = vi.fn();
    const batch = new FrameBatch<number>(apply);
    hide();
    batch.add(1);
    vi.runAllTimers();
    expect(apply).toHaveBeenCalledWith([1]);
  });

  it("also when it is hidden while a frame is awaited", () => {
    const apply = vi.fn();
    const batch = new FrameBatch<number>(apply);
    batch.add(1);
    hide();
    batch.add(2);
    vi.runAllTimers();
    expect(apply.mock.calls).toEqual([[[1, 2]]]);
  });
});

describe("frames that are not worth painting", () => {
  it("are left out as long as somebody says so", () => {
    const apply = vi.fn();
    let isLeisurely = true;
    const batch = new FrameBatch<number>(apply, () => isLeisurely);
    batch.add(1);
    paint();
    expect(apply).not.toHaveBeenCalled();
    vi.runAllTimers();
    isLeisurely = false;
    batch.add(2);
    paint();
    expect(apply.mock.calls).toEqual([[[1]], [[2]]]);
  });
});
