import { describe, expect, it } from "vitest";
import { AbsenceDetector } from "./detect.ts";

/** A detector with a presence that the test controls. */
function detector() {
  let [now, isHidden] = [1_000_000, false];
  let [changed, check] = [() => {}, () => {}];
  const absence = new AbsenceDetector({
    now: () => now,
    isHidden: () => isHidden,
    onVisibility: (listener) => {
      changed = listener;
    },
    every: (_ms, listener) => {
      check = listener;
    },
  });
  absence.start();
  return {
    absence,
    pass(ms: number) {
      for (let left = ms; left > 0; left -= 1_000) {
        now += Math.min(1_000, left);
        check();
      }
    },
    /** Lets time pass without any check. */
    sleep(ms: number) {
      now += ms;
    },
    hide(is: boolean) {
      isHidden = is;
      changed();
    },
    now: () => now,
  };
}

describe("AbsenceDetector", () => {
  it("detects a hidden tab, until a grace period after the return", () => {
    const { absence, pass, hide, now } = detector();
    expect(absence.since()).toBeNull();
    hide(true);
    const left = now();
    pass(60_000);
    expect(absence.since()).toBe(left);
    hide(false);
    pass(9_000);
    expect(absence.since()).toBe(left);
    pass(2_000);
    expect(absence.since()).toBeNull();
  });

  it("detects that the machine was asleep", () => {
    const { absence, pass, sleep, now } = detector();
    pass(5_000);
    const left = now();
    sleep(60_000);
    expect(absence.since()).toBe(left);
    pass(31_000);
    expect(absence.since()).toBeNull();
  });

  it("ends an absence that was acknowledged, but not while it lasts", () => {
    const { absence, hide, now } = detector();
    hide(true);
    absence.acknowledge();
    expect(absence.since()).toBe(now());
    hide(false);
    absence.acknowledge();
    expect(absence.since()).toBeNull();
  });
});
