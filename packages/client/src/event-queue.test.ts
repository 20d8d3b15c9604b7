import { describe, expect, it } from "vitest";
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
