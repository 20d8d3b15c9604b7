import { describe, expect, it, vi } from "vitest";
import { outputEvent } from "../fake-socket.ts";
import { EventQueue } from "./event-queue.ts";

describe("EventQueue", () => {
  it("yields events in order, those pushed before and after the loop waits", async () => {
    const queue = new EventQueue(() => {});
    queue.push(outputEvent(1));
    expect((await queue.next()).value?.seq).toBe(1);
    const next = queue.next();
    queue.push(outputEvent(2));
    expect((await next).value?.seq).toBe(2);
  });

  it("resolves concurrent requests in order, with events or with the end", async () => {
    const queue = new EventQueue(() => {});
    const requests = [queue.next(), queue.next(), queue.next(), queue.next()];
    queue.push(outputEvent(1));
    queue.push(outputEvent(2));
    queue.end();
    expect((await Promise.all(requests)).map(({ value, done }) => value?.seq ?? done)).toEqual([1, 2, true, true]);
  });

  it("moves each waiting event at most once, however slow the loop is", async () => {
    const queue = new EventQueue(() => {});
    const slice = vi.spyOn(Array.prototype, "slice");
    for (let seq = 1; seq <= 10_000; seq++) queue.push(outputEvent(seq));
    let last = 0;
    for (let count = 1; count <= 10_000; count++) {
      const { value } = await queue.next();
      expect(value?.seq).toBe(++last);
      // The agents go on while the loop is behind.
      if (count % 2 === 0) queue.push(outputEvent(10_000 + count / 2));
    }
    const moved = slice.mock.results.reduce((sum, { value }) => sum + (value as unknown[]).length, 0);
    slice.mockRestore();
    expect(moved).toBeLessThan(20_000);
  });

  it("yields the waiting events after end(), then finishes", async () => {
    const queue = new EventQueue(() => {});
    queue.push(outputEvent(1));
    queue.end();
    const seqs: number[] = [];
    for await (const { seq } of queue) seqs.push(seq);
    expect(seqs).toEqual([1]);
  });

  it("wakes a waiting loop on end()", async () => {
    const queue = new EventQueue(() => {});
    const next = queue.next();
    queue.end();
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it("drops the waiting events and reports that the loop was left", async () => {
    const ended: EventQueue[] = [];
    const queue = new EventQueue((one) => ended.push(one));
    queue.push(outputEvent(1));
    queue.push(outputEvent(2));
    for await (const _ of queue) break;
    expect(ended).toEqual([queue]);
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });
});
