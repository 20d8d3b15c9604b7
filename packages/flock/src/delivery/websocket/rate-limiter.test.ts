import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, RateLimiter } from "./rate-limiter.ts";

const limits = { commandBurst: 10, commandsPerSecond: 10, overBudgetSeconds: 5 };

/** Sends `perSecond` small messages a second for so many seconds, resting when told to. Returns when it was over for too long. */
function send(budget: RateLimiter, perSecond: number, seconds: number): number | undefined {
  const start = 1_000_000;
  let free = start;
  for (let now = start; now < start + seconds * 1_000; now += 1_000 / perSecond) {
    if (now < free) continue;
    if (budget.isSpent(now)) {
      const rest = budget.rest(now);
      if (rest === undefined) return (now - start) / 1_000;
      free = now + rest;
    } else budget.payForMessage(0);
  }
  return undefined;
}

describe("the budget of a connection", () => {
  it("allows a burst, and then so many commands a second", () => {
    const budget = new RateLimiter(limits, 0);
    const allowed = (from: number, to: number) => {
      let count = 0;
      for (let now = from; now < to; now += 1) {
        if (budget.isSpent(now)) continue;
        budget.payForMessage(0);
        count += 1;
      }
      return count;
    };
    expect(allowed(0, 100)).toBe(10);
    expect(allowed(100, 10_100)).toBeCloseTo(100, -0.5);
    // Silence brings back the burst, and not more.
    expect(allowed(100_000, 100_050)).toBe(10);
  });

  it("counts large messages and replays for more, and forbids neither: the rest is longer", () => {
    const budget = new RateLimiter(limits, 0);
    budget.payForMessage(50 * 1024 * 1024);
    expect(budget.isSpent(0)).toBe(true);
    expect(budget.rest(0)).toBeCloseTo(50 * 64 * 100 - 800, -3);
    const replaying = new RateLimiter(limits, 0);
    replaying.payForReplay();
    expect(replaying.rest(0)).toBeCloseTo(9_100);
  });

  it("is exceeded for too long by who has to rest in every second of that time", () => {
    const closedAfter = send(new RateLimiter(limits, 0), 1_000, 20);
    expect(closedAfter).toBeGreaterThanOrEqual(5);
    expect(closedAfter).toBeLessThan(6);
  });

  it("but not by who stays within it, nor by who is briefly above it, nor by one long queue", () => {
    expect(send(new RateLimiter(limits, 0), 9, 600)).toBeUndefined();
    const budget = new RateLimiter(limits, 0);
    for (let burst = 0; burst < 100; burst++) expect(send(budget, 1_000, 4)).toBeUndefined();
    expect(send(new RateLimiter(DEFAULT_LIMITS, 0), 100_000, 20)).toBeUndefined();
  });
});
