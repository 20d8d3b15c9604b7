import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, RateLimiter } from "./rate-limiter.ts";

const limits = { commandBurst: 10, commandsPerSecond: 10, overBudgetSeconds: 5 };

/** Sends `perSecond` small messages per second, and waits as required. Returns after how many seconds the rate was exceeded for too long. */
function send(limiter: RateLimiter, perSecond: number, seconds: number): number | undefined {
  const start = 1_000_000;
  let free = start;
  for (let now = start; now < start + seconds * 1_000; now += 1_000 / perSecond) {
    if (now < free) continue;
    if (limiter.isSpent(now)) {
      const delay = limiter.delay(now);
      if (delay === undefined) return (now - start) / 1_000;
      free = now + delay;
    } else limiter.payForMessage(0);
  }
  return undefined;
}

describe("RateLimiter", () => {
  it("allows a burst, then a steady rate", () => {
    const limiter = new RateLimiter(limits, 0);
    const allowed = (from: number, to: number) => {
      let count = 0;
      for (let now = from; now < to; now += 1) {
        if (limiter.isSpent(now)) continue;
        limiter.payForMessage(0);
        count += 1;
      }
      return count;
    };
    expect(allowed(0, 100)).toBe(10);
    expect(allowed(100, 10_100)).toBeCloseTo(100, -0.5);
    // A pause restores the burst, and not more.
    expect(allowed(100_000, 100_050)).toBe(10);
  });

  it("charges more for large messages and replays, with a longer delay", () => {
    const limiter = new RateLimiter(limits, 0);
    limiter.payForMessage(50 * 1024 * 1024);
    expect(limiter.isSpent(0)).toBe(true);
    expect(limiter.delay(0)).toBeCloseTo(50 * 64 * 100 - 800, -3);
    const replaying = new RateLimiter(limits, 0);
    replaying.payForReplay();
    expect(replaying.delay(0)).toBeCloseTo(9_100);
  });

  it("ends a connection that is delayed in every second for too long", () => {
    const closedAfter = send(new RateLimiter(limits, 0), 1_000, 20);
    expect(closedAfter).toBeGreaterThanOrEqual(5);
    expect(closedAfter).toBeLessThan(6);
  });

  it("does not end a connection within its rate, briefly above it, or with one long queue", () => {
    expect(send(new RateLimiter(limits, 0), 9, 600)).toBeUndefined();
    const limiter = new RateLimiter(limits, 0);
    for (let burst = 0; burst < 100; burst++) expect(send(limiter, 1_000, 4)).toBeUndefined();
    expect(send(new RateLimiter(DEFAULT_LIMITS, 0), 100_000, 20)).toBeUndefined();
  });
});
