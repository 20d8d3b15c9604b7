import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { offlineModel } from "../engines/ai/index.ts";
import { artifact, Flock, type Model, type RunContext } from "../index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type BudgetOptions, budget } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));

type Work = (context: RunContext) => void | Promise<void>;

/** Creates agents that report the given usage, with one budget for all of them. */
async function spenders(options: BudgetOptions, model?: Model) {
  const clock = fakeClock();
  const flock = await Flock.open({ clock, components: [budget(options)], ...(model ? { model } : {}) });
  let work: Work = () => {};
  for (const agent of ["a", "b"]) {
    flock
      .agent(agent)
      .consumes(Idea)
      .run((_, context) => work(context));
  }
  return {
    clock,
    flock,
    async spend(amounts: Record<string, number> | Work, { agent = "a", correlationId = "w" } = {}) {
      work = typeof amounts === "function" ? amounts : ({ addUsage }) => addUsage(amounts);
      const { done } = await flock.invoke(agent, [Idea({ text: "x" })], { correlationId });
      return done;
    },
    [Symbol.asyncDispose]: () => flock.shutdown(),
  };
}

const EXCEEDED = { status: "error", error: { name: "budget_exceeded" } };

describe("budget", () => {
  it("stops a run that exceeds its budget, with the amounts in the error", async () => {
    await using kitchen = await spenders({ tokens: 100, per: "run" });
    const { spend } = kitchen;
    expect(await spend({ total_tokens: 100 })).toMatchObject({ status: "success" });
    expect(await spend({ total_tokens: 101 })).toMatchObject({
      ...EXCEEDED,
      error: { message: "Run of agent `a` was stopped: the run has used 101 of 100 tokens. Raise the budget." },
      usage: { total_tokens: 101 },
    });
    // The next run has its own budget.
    expect(await spend({ total_tokens: 100 })).toMatchObject({ status: "success" });
  });

  it("aborts the signal of a stopped run", async () => {
    await using kitchen = await spenders({ tokens: 10, per: "run" });
    const { spend } = kitchen;
    let reason: unknown;
    const end = await spend(async ({ addUsage, signal }) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      for (let i = 0; i < 3; i++) addUsage({ input_tokens: 4, output_tokens: 0 });
      await new Promise(() => {});
    });
    expect(end).toMatchObject(EXCEEDED);
    expect(reason).toMatchObject({ code: "budget_exceeded" });
  });

  it.for<[BudgetOptions["per"], string[]]>([
    ["correlation", ["a w"]],
    ["agent", ["a w", "a v"]],
    ["flock", ["a w", "a v", "b w", "b v"]],
  ])("per %s: lets the exceeding run finish and rejects later ones", async ([per, refused]) => {
    await using kitchen = await spenders({ tokens: 100, per });
    const { spend } = kitchen;
    expect(await spend({ total_tokens: 99 })).toMatchObject({ status: "success" });
    expect(await spend({ total_tokens: 50 })).toMatchObject({ status: "success" });
    let ran = 0;
    const seen = [];
    for (const agent of ["a", "b"]) {
      for (const correlationId of ["w", "v"]) {
        const { error } = await spend(() => void (ran += 1), { agent, correlationId });
        if (error?.name === "budget_exceeded") seen.push(`${agent} ${correlationId}`);
      }
    }
    const together = per === "correlation" ? ["a w", "b w"] : refused;
    expect(seen).toEqual(together);
    expect(ran).toBe(4 - together.length);
  });

  it("counts cost by model prices and by reported cost", async () => {
    const options = { cost: 1, per: "flock", prices: { "gpt-x": { input: 100_000, output: 200_000 } } } as const;
    await using kitchen = await spenders(options, "openai/gpt-x");
    const { spend } = kitchen;
    expect(await spend({ input_tokens: 2, output_tokens: 3 })).toMatchObject({ status: "success" });
    expect(await spend({ cost: 0.2 })).toMatchObject({ status: "success" });
    expect(await spend({})).toMatchObject({
      ...EXCEEDED,
      error: { message: "Run of agent `a` was not started: the flock has used 1 of 1 in cost. Raise the budget." },
    });
  });

  it("with a cost limit rejects a model without a price before calling it", async () => {
    await using kitchen = await spenders({ cost: 1, per: "run" }, "openai/gpt-y");
    const { spend } = kitchen;
    let ran = false;
    const { error } = await spend(() => void (ran = true));
    expect(error?.message).toContain("model `openai/gpt-y` has no price");
    expect(ran).toBe(false);
  });

  it("falls back to the flock's prices", async () => {
    const Job = artifact("Job", z.object({}));
    await using flock = new Flock({
      model: "openai/gpt-z",
      prices: { "gpt-z": { input: 1_000_000, output: 0 } },
      components: [budget({ cost: 1, per: "flock" })],
    });
    flock
      .agent("a")
      .consumes(Job)
      .run((_, { addUsage }) => addUsage({ input_tokens: 1 }));
    const spend = async () => (await flock.invoke("a", [Job({})])).done;
    expect(await spend()).toMatchObject({ status: "success" });
    expect(await spend()).toMatchObject(EXCEEDED);
  });

  it("is available again after its window", async () => {
    await using kitchen = await spenders({ tokens: 100, per: "flock", window: 1_000 });
    const { spend, clock } = kitchen;
    await spend({ total_tokens: 60 });
    await clock.advance(500);
    await spend({ total_tokens: 60 });
    await clock.advance(499);
    expect((await spend({})).error?.message).toContain("has used 120 of 100 tokens in the last 1000 ms. Wait, or");
    await clock.advance(1);
    expect(await spend({})).toMatchObject({ status: "success" });
  });

  it("is never exceeded by more than the run that exhausts it", async () => {
    const step = fc.record({ tokens: fc.nat(60), ms: fc.nat(400) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const window = 1_000;
        await using kitchen = await spenders({ tokens: 100, per: "flock", window });
        const spent: { at: number; tokens: number }[] = [];
        for (const { tokens, ms } of steps) {
          const now = kitchen.clock.now();
          const before = spent.filter(({ at }) => at > now - window).reduce((sum, one) => sum + one.tokens, 0);
          const { status } = await kitchen.spend({ total_tokens: tokens });
          expect(status).toBe(before >= 100 ? "error" : "success");
          if (status === "success") spent.push({ at: now, tokens });
          await kitchen.clock.advance(ms);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("counts a model's usage and stops calling it", async () => {
    await using flock = new Flock({ model: offlineModel(), components: [budget({ tokens: 1, per: "flock" })] });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    const ends = [];
    for (let i = 0; i < 2; i++) ends.push(await (await flock.invoke("chef", [Idea({ text: "x" })])).done);
    expect(ends[0]).toMatchObject({ status: "success", usage: { total_tokens: expect.any(Number) } });
    expect(ends[1]).toMatchObject(EXCEEDED);
    expect(ends[1]?.usage).toBeUndefined();
  });

  it("ignores values that are not numbers and usage that is not tokens", async () => {
    await using kitchen = await spenders({ tokens: 1, per: "flock" });
    const { spend } = kitchen;
    await spend({ total_tokens: Number.NaN, pages: 7 });
    expect(await spend({})).toMatchObject({ status: "success" });
  });

  it.for([
    { per: "run" },
    { tokens: 0, per: "run" },
    { tokens: 1 },
    { tokens: 1, per: "day" },
    { tokens: 1, per: "run", window: 0 },
  ])("requires a limit and a scope: rejects %o", (options) => {
    expect(() => budget(options as never)).toThrow(/^Invalid options for budget: /);
  });

  it.for(["run", "agent"] as const)(
    "per %s: rejected and stopped runs are not retried and do not open the circuit",
    async (per) => {
      const clock = fakeClock();
      await using flock = new Flock({ clock });
      let ran = 0;
      flock
        .agent("spender")
        .consumes(Idea)
        .retry({ attempts: 3, delay: 10, jitter: 0 })
        .circuitBreaker({ failures: 1, cooldown: 1_000 })
        .use(budget({ tokens: 10, per }))
        .run((_, { addUsage }) => {
          ran += 1;
          addUsage({ total_tokens: 11 });
        });
      for (let n = 0; n < 3; n++) await flock.publish(Idea({ text: "x" }));
      await flock.runUntilIdle();
      await clock.advance(10_000);
      expect(ran).toBe(per === "run" ? 3 : 1);
      expect((await flock.deadLetters()).map(({ attempts, error }) => [attempts, error.name])).toEqual(
        Array(per === "run" ? 3 : 2).fill([1, "budget_exceeded"]),
      );
      expect(flock.agents()[0]?.circuit).toEqual({ state: "closed", failures: 0 });
    },
  );

  it("retries when `when` accepts the error", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("spender")
      .consumes(Idea)
      .retry({ attempts: 3, delay: 60_000, factor: 1, jitter: 0, when: () => true })
      .use(budget({ tokens: 10, per: "agent", window: 60_000 }))
      .run((_, { addUsage }) => addUsage({ total_tokens: 11 }));
    await flock.publish([Idea({ text: "x" }), Idea({ text: "y" })]);
    await clock.advance(200_000);
    await flock.runUntilIdle();
    expect(await flock.deadLetters()).toEqual([]);
    expect(flock.stats().runs).toMatchObject({ success: 2, error: 1 });
  });
});
