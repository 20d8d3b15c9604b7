import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, type Clock, Flock } from "../index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { rateLimit } from "./index.ts";

const Job = artifact("Job", z.object({ n: z.int(), agent: z.string() }));

/** Waits until due commits and ends of runs are processed, which takes a few turns of the event loop. */
async function settled(): Promise<void> {
  for (let i = 0; i < 6; i++) await turn();
}

interface Begun {
  readonly agent: string;
  readonly n: number;
  readonly at: number;
}

/** Creates agents that share a limit, and a list of started runs. */
function limited(agents: readonly string[], runs: number, per: number) {
  const clock = fakeClock();
  const flock = new Flock({ clock, components: [rateLimit({ runs, per })] });
  const begun: Begun[] = [];
  for (const agent of agents) {
    flock
      .agent(agent)
      .consumes(Job, { where: ({ payload }) => payload.agent === agent })
      .run(async ({ Job: { n } }) => {
        begun.push({ agent, n, at: clock.now() });
        await turn();
      });
  }
  return { clock, flock, begun };
}

describe("rate limit", () => {
  it("delays runs over the limit and starts them as soon as allowed", async () => {
    const { clock, flock, begun } = limited(["a"], 2, 1_000);
    await using _ = flock;
    const start = clock.now();
    for (let n = 0; n < 5; n++) await flock.publish(Job({ n, agent: "a" }));
    await settled();
    expect(begun).toHaveLength(2);
    expect(flock.stats().runs).toMatchObject({ queued: 3 });
    await clock.advance(999);
    await settled();
    expect(begun).toHaveLength(2);
    await clock.advance(1);
    await settled();
    await clock.advance(1_000);
    await flock.runUntilIdle();
    expect(begun.map(({ n, at }) => [n, at - start])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1_000],
      [3, 1_000],
      [4, 2_000],
    ]);
  });

  it("never exceeds the limit in any window, and keeps each agent's order without starvation", async () => {
    const step = fc.record({
      ms: fc.integer({ min: 0, max: 1_500 }),
      publishes: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 12 }), async (runs, steps) => {
        const per = 1_000;
        const { clock, flock, begun } = limited(["a", "b", "c"], runs, per);
        await using _ = flock;
        const wanted: Record<string, number[]> = { a: [], b: [], c: [] };
        let n = 0;
        for (const { ms, publishes } of steps) {
          for (const agent of publishes) {
            wanted[agent]?.push(n);
            await flock.publish(Job({ n: n++, agent }));
          }
          await settled();
          await clock.advance(ms);
          await settled();
        }
        // The expected duration is exact, whichever run started last.
        for (let left = 0; left <= n / runs; left++) {
          await clock.advance(per);
          await settled();
        }
        for (const agent of ["a", "b", "c"]) {
          expect(begun.filter((one) => one.agent === agent).map((one) => one.n)).toEqual(wanted[agent]);
        }
        for (let i = runs; i < begun.length; i++) {
          expect((begun[i] as Begun).at - (begun[i - runs] as Begun).at).toBeGreaterThanOrEqual(per);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is shared in turn", async () => {
    const { clock, flock, begun } = limited(["a", "b"], 1, 1_000);
    await using _ = flock;
    for (const agent of ["a", "b"]) for (let n = 0; n < 3; n++) await flock.publish(Job({ n, agent }));
    for (let i = 0; i < 6; i++) {
      await settled();
      await clock.advance(1_000);
    }
    await flock.runUntilIdle();
    // The second run of `a` was queued before the first run of `b`.
    expect(begun.map(({ agent }) => agent).join("")).toBe("aababb");
  });

  it("counts separately for agents with separate limits", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    const begun: string[] = [];
    for (const agent of ["a", "b"]) {
      flock
        .agent(agent)
        .use(rateLimit({ runs: 1, per: 1_000 }))
        .consumes(Job)
        .run(() => void begun.push(agent));
    }
    await flock.publish([Job({ n: 0, agent: "" }), Job({ n: 1, agent: "" })]);
    await settled();
    expect(begun).toEqual(["a", "b"]);
    await clock.advance(1_000);
    await flock.runUntilIdle();
    expect(begun).toEqual(["a", "b", "a", "b"]);
  });

  it("lets waiting runs be cancelled, and starts those behind them", async () => {
    const { clock, flock, begun } = limited(["a"], 1, 1_000);
    await using _ = flock;
    const ids = [];
    for (let n = 0; n < 3; n++) ids.push((await flock.publish(Job({ n, agent: "a" }))).correlationId);
    await settled();
    expect((await flock.cancel({ correlationId: ids[1] as string })).cancelled).toBe(1);
    await clock.advance(1_000);
    await flock.runUntilIdle();
    expect(begun.map(({ n }) => n)).toEqual([0, 2]);
    expect(flock.stats().runs).toMatchObject({ success: 2, cancelled: 1, queued: 0 });
  });

  it("does not delay a shutdown, and starts nothing after it", async () => {
    const { clock, flock, begun } = limited(["a"], 1, 1_000);
    for (let n = 0; n < 3; n++) await flock.publish(Job({ n, agent: "a" }));
    await settled();
    await flock.shutdown();
    await clock.advance(10_000);
    await settled();
    expect(begun).toHaveLength(1);
  });

  it("does not wait for a clock that was set back", async () => {
    const steady = fakeClock();
    let putBack = 0;
    const clock: Clock = { now: () => steady.now() - putBack, after: (ms, callback) => steady.after(ms, callback) };
    await using flock = new Flock({ clock, components: [rateLimit({ runs: 1, per: 1_000 })] });
    const begun: number[] = [];
    flock
      .agent("a")
      .consumes(Job)
      .run(({ Job: { n } }) => void begun.push(n));
    await flock.publish(Job({ n: 0, agent: "a" }));
    await flock.runUntilIdle();
    putBack = 3_600_000;
    await flock.publish(Job({ n: 1, agent: "a" }));
    await flock.runUntilIdle();
    expect(begun).toEqual([0, 1]);
  });

  it.for([{ runs: 0, per: 1 }, { runs: 1, per: 0.5 }, { runs: 1 }, { runs: 1, per: 1, extra: 1 }])(
    "rejects invalid options: %o",
    (options) => {
      expect(() => rateLimit(options as never)).toThrow(/^Invalid options for rateLimit: /);
    },
  );
});
