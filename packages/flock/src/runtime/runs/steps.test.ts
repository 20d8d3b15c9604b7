import type { EventOf, FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { eventsOf } from "../../../../../tests/support/events.ts";
import { artifact, Flock, type RunContext, visibility } from "../../index.ts";

const Order = artifact("Order", z.object({}));

/** A flock with one agent that has run once. */
async function ran(run: (context: RunContext) => unknown, options: ConstructorParameters<typeof Flock>[0] = {}) {
  const flock = new Flock(options);
  flock
    .agent("chef")
    .consumes(Order)
    .run((_, context) => run(context) as never);
  const { done } = await flock.invoke("chef", [Order({})]);
  const end = await done;
  await flock.runUntilIdle();
  const began = eventsOf(flock, "run_step_started");
  const ended = eventsOf(flock, "run_step_completed");
  return { flock, end, began, ended };
}
const seqs = (events: readonly FlockEvent[]) => events.map(({ seq }) => seq);

describe("a step of a run", () => {
  it("is reported from its beginning to its end, between those of its run, with what it is and what it gives", async () => {
    let given: unknown;
    const { flock, end, began, ended } = await ran(async ({ step }) => {
      given = await step("tool", "larder", async () => "flour");
      await step("model", "test-model", ({ addUsage }) => void addUsage);
    });
    expect(given).toBe("flour");
    expect(began).toMatchObject([
      { agent_id: "chef", run_id: end.runId, step: 0, kind: "tool", name: "larder" },
      { agent_id: "chef", run_id: end.runId, step: 1, kind: "model", name: "test-model" },
    ]);
    expect(ended).toMatchObject([
      { run_id: end.runId, step: 0, status: "success", duration_ms: expect.any(Number) },
      { run_id: end.runId, step: 1, status: "success" },
    ]);
    const [runBegan] = eventsOf(flock, "agent_execution_started") as [EventOf<"agent_execution_started">];
    const [runEnded] = eventsOf(flock, "agent_execution_completed") as [EventOf<"agent_execution_completed">];
    const all = [runBegan.seq, ...seqs([...began, ...ended]).sort((a, b) => a - b), runEnded.seq];
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(began[0]?.correlation_id).toBe(runBegan.correlation_id);
  });

  it("may run next to others", async () => {
    const { began, ended } = await ran(async ({ step }) => {
      const first = Promise.withResolvers<void>();
      await Promise.all([step("tool", "slow", () => first.promise), step("tool", "quick", () => first.resolve())]);
    });
    expect(began.map(({ step, name }) => [step, name])).toEqual([
      [0, "slow"],
      [1, "quick"],
    ]);
    expect(ended).toHaveLength(2);
  });

  it("that fails ends no process when nothing waits for it, or no longer does", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    const flock = new Flock();
    onTestFinished(() => flock.shutdown());
    flock
      .agent("x")
      .consumes(Order)
      .timeout(20)
      .run(async (_, { step, signal }) => {
        const untilStopped = () =>
          new Promise<void>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        const [first, second] = [step("tool", "first", untilStopped), step("tool", "second", untilStopped)];
        await first;
        await second;
      });
    const { done } = await flock.invoke("x", [Order({})]);
    expect(await done).toMatchObject({ status: "timeout" });
    await flock.runUntilIdle();
    // Node reports unhandled rejections after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  it("needs a known kind, a name and a function", async () => {
    const flock = new Flock();
    onTestFinished(() => flock.shutdown());
    const calls: [unknown, unknown, unknown, RegExp][] = [
      ["call", "a", () => 1, /kind must be `model` or `tool`, not `call`/],
      ["tool", 5, () => 1, /name must be a text, not `5`/],
      ["tool", "a", undefined, /work must be a function/],
    ];
    flock
      .agent("x")
      .consumes(Order)
      .run((_, { step, stream }) => {
        for (const [kind, name, work, problem] of calls)
          expect(() => step(kind as never, name as never, work as never)).toThrow(problem);
        expect(() => stream(5 as never)).toThrow(/the text is a number\. Pass a string/);
      });
    const { done } = await flock.invoke("x", [Order({})]);
    expect(await done).toMatchObject({ status: "success" });
  });

  it("that fails says why, and fails the run unless that is caught", async () => {
    const burn = ({ step }: RunContext) =>
      step("tool", "oven", () => {
        throw new RangeError("burnt");
      });
    const { end, ended } = await ran(burn);
    expect(ended).toMatchObject([{ status: "error", error: { name: "RangeError", message: "burnt" } }]);
    expect(end).toMatchObject({ status: "error", error: { name: "RangeError" } });
    const caught = await ran((context) => burn(context).catch(() => []));
    expect(caught.end.status).toBe("success");
    expect(caught.ended).toMatchObject([{ status: "error" }]);
  });

  it("whose run is stopped is cancelled, not failed", async () => {
    const flock = new Flock();
    const isOpen = Promise.withResolvers<void>();
    flock
      .agent("chef")
      .consumes(Order)
      .run(async (_, { step, signal }) => {
        await step("tool", "oven", () => {
          isOpen.resolve();
          return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        });
      });
    const { runId } = await flock.invoke("chef", [Order({})]);
    await isOpen.promise;
    await flock.cancel({ runId });
    for (const { status, error } of eventsOf(flock, "run_step_completed"))
      expect({ status, error }).toEqual({ status: "cancelled", error: undefined });
    const [ended] = eventsOf(flock, "agent_execution_completed");
    const steps = [...eventsOf(flock, "run_step_started"), ...eventsOf(flock, "run_step_completed")];
    for (const seq of seqs(steps)) expect(seq).toBeLessThan(ended?.seq ?? 0);
  });

  it("tells nothing more once its run has ended", async () => {
    const go = Promise.withResolvers<void>();
    let late: Promise<unknown> | undefined;
    const { flock, began, ended } = await ran(({ step }) => {
      late = step("tool", "late", () => go.promise).then(() => step("tool", "later", () => {}));
    });
    go.resolve();
    await late;
    await flock.runUntilIdle();
    expect(began).toHaveLength(1);
    expect(ended).toEqual([]);
    expect(eventsOf(flock, "run_step_started")).toHaveLength(1);
    expect(eventsOf(flock, "run_step_completed")).toEqual([]);
  });

  it("is visible only to principals that may see what its run says", async () => {
    const Note = artifact("Note", z.object({ text: z.string() }));
    const flock = new Flock();
    flock
      .agent("reader")
      .labels("red")
      .consumes(Order)
      .run(async (_, { step, store }) => {
        await step("tool", "before", () => {});
        await store.getByType(Note);
        await step("tool", "after", () => {}).catch(() => {});
      });
    await flock.publish(Note({ text: "secret" }), { visibility: visibility.labelled("red") });
    await (await flock.invoke("reader", [Order({})])).done;
    await flock.runUntilIdle();
    expect(eventsOf(flock, "run_step_started").map(({ name, visibility }) => [name, visibility?.kind])).toEqual([
      ["before", undefined],
      ["after", "labelled"],
    ]);
  });
});

describe("what a step spends", () => {
  it("is reported with it, and counts for its run", async () => {
    const { end, ended } = await ran(async ({ step, addUsage }) => {
      addUsage({ calls: 1 });
      await step("tool", "search", (one) => one.addUsage({ calls: 2, searches: 1, odd: Number.NaN }));
    });
    expect(ended).toMatchObject([{ usage: { calls: 2, searches: 1 } }]);
    expect(ended[0]?.usage).not.toHaveProperty("odd");
    expect(end.usage).toEqual({ calls: 3, searches: 1 });
  });

  it("is priced where the flock knows what the model costs, and never otherwise", async () => {
    const prices = { "acme/large": { input: 2, output: 10 } };
    const { end, ended } = await ran(
      async ({ step }) => {
        for (const model of ["acme/large", "acme/small"])
          await step("model", model, (one) => one.addUsage({ input_tokens: 1_000, output_tokens: 100 }));
        await step("model", "acme/large", (one) => one.addUsage({ input_tokens: 1, cost: 7 }));
        await step("tool", "acme/large", (one) => one.addUsage({ input_tokens: 1_000 }));
      },
      { prices },
    );
    expect(ended.map(({ usage }) => usage?.cost)).toEqual([0.003, undefined, 7, undefined]);
    expect(end.usage?.cost).toBe(7.003);
  });
});
