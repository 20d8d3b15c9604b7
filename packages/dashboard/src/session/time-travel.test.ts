import type { FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { logOf, runEvents, sessionHarness, timeOf } from "./fakes.ts";
import { TimeTravel } from "./time-travel.ts";

/** A session that has some events, and a time machine whose frames are painted on request. */
async function travelling(events: readonly FlockEvent[] = logOf(9)) {
  const harness = sessionHarness(events);
  void harness.session.start();
  await harness.when(({ config }) => config !== null);
  harness.server.connect();
  await harness.when(({ complete }) => complete);
  let frame: ((now: number) => void) | undefined;
  const travel = new TimeTravel({
    ...harness,
    rest: harness.server,
    elapsed: harness.clock.elapsed,
    requestFrame: (callback) => {
      frame = callback;
    },
  });
  /** Paints the next frame some ms later. */
  const paintAfter = (ms: number) => {
    harness.clock.advance(ms);
    const due = frame;
    frame = undefined;
    due?.(harness.clock.elapsed());
  };
  return { ...harness, travel, paintAfter };
}

describe("TimeTravel", () => {
  it("shows a seq, within the existing ones", async () => {
    const { travel, store } = await travelling();
    for (const [asked, shown] of [
      [4, 4],
      [4.4, 4],
      [0, 1],
      [99, 9],
    ] as const) {
      travel.travelTo(asked);
      expect(store.getState().at).toBe(shown);
    }
    travel.goLive();
    expect(store.getState().at).toBeNull();
  });

  it("steps from event to event", async () => {
    const { travel, store } = await travelling();
    travel.step(-1);
    expect(store.getState().at).toBe(8);
    travel.step(-3);
    expect(store.getState().at).toBe(5);
    travel.step(1);
    expect(store.getState().at).toBe(6);
    travel.travelTo(1);
    travel.step(-1);
    expect(store.getState().at).toBe(1);
  });

  it("finds the next and the previous failure, and keeps the view without one", async () => {
    const { travel, store } = await travelling([...logOf(5), ...runEvents(6, "error"), ...runEvents(8, "error")]);
    expect(await travel.toError(-1)).toBe("found");
    expect(store.getState().at).toBe(9);
    expect(await travel.toError(-1)).toBe("found");
    expect(store.getState().at).toBe(7);
    expect(await travel.toError(-1)).toBe("none");
    expect(store.getState().at).toBe(7);
    expect(await travel.toError(1)).toBe("found");
    expect(store.getState().at).toBe(9);
  });

  it("shows a time", async () => {
    const { travel, store } = await travelling();
    await travel.travelToPosition({ moment: Date.parse(timeOf(6)) + 500 });
    expect(store.getState().at).toBe(6);
  });

  it("plays the log at its original speed, and stops at the end", async () => {
    const { travel, store, session, paintAfter } = await travelling();
    travel.travelTo(5);
    travel.play(2);
    await session.settled();
    await Promise.resolve();
    paintAfter(500);
    expect(store.getState().at).toBe(6);
    paintAfter(400);
    expect(store.getState().at).toBe(6);
    paintAfter(1_100);
    expect(store.getState().at).toBe(9);
    expect(travel.playing.getState().speed).toBeNull();
  });

  it("changes the speed in steps", async () => {
    const { travel } = await travelling();
    const speed = () => travel.playing.getState().speed;
    travel.changeSpeed(1);
    expect(speed()).toBe(1);
    travel.changeSpeed(1);
    travel.changeSpeed(1);
    expect(speed()).toBe(5);
    travel.changeSpeed(-1);
    expect(speed()).toBe(2);
    travel.pause();
    expect(speed()).toBeNull();
  });
});
