import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { AgentBuilder } from "../../agents/builder.ts";
import { artifact, Flock, type FlockOptions, type RunContext } from "../../index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";

const Order = artifact("Order", z.object({ n: z.int() }));
const Approval = artifact("Approval", z.object({ ok: z.boolean() }));

const ask = (context: RunContext, question = "may I?") => context.askPerson(Approval, { question, key: question });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const turns = async () => {
  for (let n = 0; n < 20; n++) await turn();
};

/** A flock whose clerk has one slot and does some work for each order. */
function office(
  work: (n: number, context: RunContext) => Promise<unknown>,
  options: FlockOptions = {},
  declare: (clerk: AgentBuilder) => AgentBuilder = (clerk) => clerk,
) {
  const flock = new Flock(options);
  const begun: number[] = [];
  declare(flock.agent("clerk"))
    .consumes(Order)
    .concurrency(1)
    .run(async ({ Order: { n } }, context) => {
      begun.push(n);
      await work(n, context);
    });
  const order = async (...ns: number[]) => {
    await flock.publish(ns.map((n) => Order({ n })));
    await turns();
  };
  const answer = async (text = "may I?") => {
    const question = flock.questions().find(({ payload }) => payload.question === text);
    await flock.answer(question?.id ?? "", Approval({ ok: true }));
    await turns();
  };
  return { flock, begun, order, answer };
}

describe("a run that asks a person", () => {
  it("keeps its slot and its clock until it awaits the answer", async () => {
    const clock = fakeClock();
    const working = Promise.withResolvers<void>();
    const { flock, begun, order, answer } = office(
      async (n, context) => {
        const answered = ask(context, `may I ${n}?`);
        if (n < 3) await working.promise;
        await answered;
      },
      { clock },
      (clerk) => clerk.timeout(1_000),
    );
    await order(1, 2);
    expect(begun).toEqual([1]);
    let isIdle = false;
    void flock.runUntilIdle().then(() => {
      isIdle = true;
    });
    await clock.advance(999);
    expect({ begun, isIdle }).toEqual({ begun: [1], isIdle: false });
    await clock.advance(1);
    expect(flock.stats().runs).toMatchObject({ timeout: 1 });
    expect(begun).toEqual([1, 2]);
    working.resolve();
    await turns();
    await clock.advance(60_000);
    expect(flock.stats().runs).toMatchObject({ timeout: 1, running: 1 });
    await answer("may I 2?");
    await flock.runUntilIdle();
    expect(flock.stats().runs).toMatchObject({ timeout: 1, success: 1 });
    await flock.shutdown();
  });

  it("keeps its slot and its clock while one of its steps works, and takes them back for a new one", async () => {
    const clock = fakeClock();
    const works = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const stepsOf: string[] = [];
    const { flock, begun, order, answer } = office(
      async (n, context) => {
        if (n > 1) return;
        const working = async () => {
          for (const [index, { promise }] of works.entries()) {
            await context.step("tool", `work ${index}`, () => {
              stepsOf.push(`work ${index}`);
              return promise;
            });
            if (index === 0) await ask(context, "go on?");
          }
        };
        await Promise.all([ask(context), working()]);
      },
      { clock },
      (clerk) => clerk.timeout(1_000),
    );
    await order(1, 2);
    await clock.advance(900);
    expect(begun).toEqual([1]);

    works[0]?.resolve();
    await turns();
    expect(begun).toEqual([1, 2]);
    await flock.runUntilIdle();
    await clock.advance(60_000);

    await answer("go on?");
    expect(stepsOf).toEqual(["work 0", "work 1"]);
    await order(3);
    expect(begun).toEqual([1, 2]);
    await clock.advance(99);
    expect(flock.stats().runs).toMatchObject({ timeout: 0, running: 1 });
    await clock.advance(1);
    expect(flock.stats().runs).toMatchObject({ timeout: 1 });
    expect(begun).toEqual([1, 2, 3]);
    await flock.shutdown();
  });

  it("releases them inside a step that asks, but not while another step or candidate works", async () => {
    const work = Promise.withResolvers<void>();
    const inStep = office(async (n, context) => {
      if (n > 1) return;
      const asking = context.step("tool", "approve", () => ask(context));
      await Promise.all([asking, context.step("tool", "work", () => work.promise)]);
    });
    await inStep.order(1, 2);
    expect(inStep.begun).toEqual([1]);
    work.resolve();
    await turns();
    expect(inStep.begun).toEqual([1, 2]);
    await inStep.answer();
    await inStep.flock.runUntilIdle();
    expect(inStep.flock.stats().runs).toMatchObject({ success: 2 });
    await inStep.flock.shutdown();

    let candidates = 0;
    const candidateWork = Promise.withResolvers<void>();
    const trying = office(
      async (n, context) => {
        if (n > 1) return;
        await (++candidates % 2 === 1 ? ask(context) : candidateWork.promise);
      },
      {},
      (clerk) => clerk.bestOf(2, () => 1),
    );
    await trying.order(1, 2);
    expect(trying.begun).toEqual([1, 1]);
    candidateWork.resolve();
    await turns();
    expect(trying.begun).toEqual([1, 1, 2, 2]);
    await trying.flock.shutdown();
  });

  it("ends a step that waits for the slot, if it is cancelled before it has it", async () => {
    const endless = Promise.withResolvers<void>();
    let reason: unknown;
    const { flock, begun, order } = office(async (n, context) => {
      if (n > 1) return endless.promise;
      const asked = ask(context);
      await Promise.race([asked, turns()]);
      await context
        .step("tool", "work", () => {})
        .catch((error: unknown) => {
          reason = error;
        });
    });
    await order(1, 2);
    expect(begun).toEqual([1, 2]);
    const [first] = flock.questions();
    expect((await flock.cancel({ runId: first?.payload.run_id ?? "" })).cancelled).toBe(1);
    await turns();
    expect(reason).toMatchObject({ name: "RunStopped" });
    endless.resolve();
    await flock.shutdown();
  });
});

describe("a run that waits for runs", () => {
  it("is refused to wait until its own flock is idle, with what to do instead", async () => {
    const other = new Flock();
    const { flock, order } = office(async (n) => {
      await other.runUntilIdle();
      if (n === 1) await flock.runUntilIdle();
    });
    await order(1);
    await flock.runUntilIdle();
    expect(await flock.deadLetters()).toMatchObject([{ error: { message: expect.stringMatching(/await `done`/) } }]);
    await flock.shutdown();
    await other.shutdown();
  });

  it("may wait until idle in what it leaves behind", async () => {
    const idle = Promise.withResolvers<void>();
    const { flock, order } = office(async () => {
      setImmediate(() => setImmediate(() => flock.runUntilIdle().then(idle.resolve, idle.reject)));
    });
    await order(1);
    await idle.promise;
    await flock.shutdown();
  });

  it("releases its slot for the run of `invoke().done`, and takes it back", async () => {
    const results: string[] = [];
    const { flock, order } = office(
      async (n) => {
        if (n >= 4) return;
        const { done } = await flock.invoke("clerk", [Order({ n: n + 1 })]);
        const [{ status }] = await Promise.all([done, done]);
        results.push(`${n}: ${status}`);
      },
      { concurrency: 1 },
    );
    await order(1);
    await flock.runUntilIdle();
    expect(results).toEqual(["3: success", "2: success", "1: success"]);
    expect(flock.stats().runs).toMatchObject({ success: 4, running: 0 });
    await flock.shutdown();
  });

  it("keeps its clock while it waits for another run", async () => {
    const clock = fakeClock();
    const endless = Promise.withResolvers<void>();
    const { flock, order } = office(
      async (n) => {
        if (n > 1) return endless.promise;
        await (await flock.invoke("clerk", [Order({ n: 2 })])).done;
      },
      { clock },
      (clerk) => clerk.timeout(1_000),
    );
    await order(1);
    await clock.advance(1_000);
    expect(flock.stats().runs).toMatchObject({ timeout: 2 });
    await flock.shutdown();
  });

  it("releases its slot for the run of a dead letter", async () => {
    let isBroken = true;
    const { flock, order } = office(async (n) => {
      if (n === 1 && isBroken) throw new Error("broken");
      if (n === 1) return;
      const [letter] = await flock.deadLetters();
      await (await flock.retryDeadLetter(letter?.id ?? "")).done;
    });
    await order(1);
    isBroken = false;
    await order(2);
    await flock.runUntilIdle();
    expect(flock.stats().runs).toMatchObject({ error: 1, success: 2 });
    await flock.shutdown();
  });
});

describe("a half-open circuit whose trial run asks a person", () => {
  it("tries the next run meanwhile", async () => {
    const clock = fakeClock();
    let isBroken = true;
    const { flock, begun, order, answer } = office(
      async (n, context) => {
        if (isBroken) throw new Error("broken");
        if (n === 2) await ask(context);
      },
      { clock },
      (clerk) => clerk.circuitBreaker({ failures: 1, cooldown: 1_000 }),
    );
    await order(1, 2, 3, 4);
    expect(begun).toEqual([1]);
    isBroken = false;
    await clock.advance(1_000);
    await turns();
    expect(begun).toEqual([1, 2, 3, 4]);
    expect(flock.agents()[0]?.circuit).toMatchObject({ state: "closed" });
    await flock.runUntilIdle();
    await answer();
    expect(flock.stats().runs).toMatchObject({ success: 3 });
    await flock.shutdown();
  });

  it("counts the end of the trial run, if there was no next run", async () => {
    const clock = fakeClock();
    let isBroken = true;
    const { flock, order, answer } = office(
      async (_, context) => {
        if (isBroken) throw new Error("broken");
        await ask(context);
      },
      { clock },
      (clerk) => clerk.circuitBreaker({ failures: 1, cooldown: 1_000 }),
    );
    await order(1, 2);
    isBroken = false;
    await clock.advance(1_000);
    await turns();
    expect(flock.agents()[0]?.circuit).toMatchObject({ state: "half_open" });
    await answer();
    expect(flock.agents()[0]?.circuit).toMatchObject({ state: "closed" });
    await flock.shutdown();
  });
});
