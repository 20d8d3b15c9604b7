import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { FlockError } from "../core/errors.ts";
import { artifact, Flock } from "../index.ts";
import { RetryPolicy } from "./retry-policy.ts";

const NOW = Date.UTC(2026, 0, 1);
const boom = new Error("boom");
const policyOf = fc.record({
  attempts: fc.integer({ min: 2, max: 40 }),
  delay: fc.double({ min: 0, max: 1e5, noNaN: true }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  maxDelay: fc.double({ min: 0, max: 1e6, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("delays between attempts", () => {
  it("stay within maxDelay and the range that jitter allows", () => {
    fc.assert(
      fc.property(policyOf, fc.integer({ min: 1, max: 39 }), chance, (options, n, random) => {
        const wait = new RetryPolicy("test", options).delayAfter(n, boom, NOW, random);
        if (n >= options.attempts) {
          expect(wait).toBeUndefined();
          return;
        }
        const full = Math.min(options.maxDelay, options.delay * options.factor ** (n - 1));
        expect(wait).toBeLessThanOrEqual(options.maxDelay);
        expect(wait).toBeLessThanOrEqual(full);
        expect(wait).toBeGreaterThanOrEqual(full * (1 - options.jitter) - 1e-6);
      }),
    );
  });

  it("grow for the same random number", () => {
    fc.assert(
      fc.property(policyOf, chance, (options, random) => {
        const policy = new RetryPolicy("test", options);
        for (let n = 2; n < options.attempts; n++) {
          const [before, after] = [n - 1, n].map(
            (failures) => policy.delayAfter(failures, boom, NOW, random) as number,
          );
          expect(after).toBeGreaterThanOrEqual(before as number);
        }
      }),
    );
  });
});

describe("the provider's Retry-After", () => {
  const refused = (after: string, more = {}) =>
    new FlockError("model_failed", "429", {
      cause: Object.assign(new Error("429"), { responseHeaders: { "retry-after": after }, ...more }),
    });
  const policy = new RetryPolicy("test", { attempts: 3, delay: 1_000, jitter: 0 });

  it.each([
    ["seconds", "7", 7_000],
    ["a date", new Date(NOW + 9_000).toUTCString(), 9_000],
    ["less than the wait would be", "0", 1_000],
    ["rubbish", "soon", 1_000],
    ["a date that has passed", new Date(NOW - 9_000).toUTCString(), 1_000],
    ["more than an hour", "99999999", 3_600_000],
  ])("lengthens the delay if it is plausible: %s", (_, asked, expected) => {
    expect(policy.delayAfter(1, refused(asked), NOW)).toBe(expected);
  });

  it("does not cause a retry after a final error", () => {
    expect(policy.delayAfter(1, refused("1", { isRetryable: false }), NOW)).toBeUndefined();
  });
});

describe("retry conditions", () => {
  const bug = new FlockError("wrong_output", "a bug");

  it("skip code errors unless `when` accepts them", () => {
    expect(new RetryPolicy("test", { attempts: 3 }).delayAfter(1, bug, NOW)).toBeUndefined();
    expect(new RetryPolicy("test", { attempts: 3, when: () => true }).delayAfter(1, bug, NOW)).toBeDefined();
  });

  it("skip errors that `when` rejects", () => {
    const policy = new RetryPolicy("test", { attempts: 3, when: (error) => error !== boom });
    expect(policy.delayAfter(1, boom, NOW)).toBeUndefined();
    expect(policy.delayAfter(1, new Error("other"), NOW)).toBeDefined();
  });
});

describe("invalid retry options", () => {
  const chef = () => new Flock().agent("chef").consumes(artifact("Idea", z.unknown()));

  it.each([
    [{ attempts: 0 }],
    [{ attempts: 2, delay: -1 }],
    [{ attempts: 2, factor: 0.5 }],
    [{ attempts: 2, jitter: 1.1 }],
    [{ attempts: 2, tries: 3 }],
  ])("%j are named", (options) => {
    expect(() => chef().retry(options as { attempts: number })).toThrow(/`retry` of agent `chef`/);
  });
});
