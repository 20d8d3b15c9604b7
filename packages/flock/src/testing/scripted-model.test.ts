import { tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../index.ts";
import { expectPublished, expectRun } from "./expect-published.ts";
import { fakeClock } from "./fake-clock.ts";
import { type ScriptedModel, scriptedModel } from "./scripted-model.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const Price = artifact("Price", z.number());

function chef(model: ScriptedModel): Flock {
  const flock = new Flock({ model });
  flock.agent("chef").description("A cook.").consumes(Idea).publishes(Pizza);
  return flock;
}

describe("scripted model answers", () => {
  it("in order, and records its calls", async () => {
    const model = scriptedModel([Pizza({ name: "one" }), ({ number }) => Pizza({ name: `call ${number}` })]);
    await using flock = chef(model);
    await flock.publish(Idea({ text: "truffle" }));
    await expectPublished(flock, Pizza, { where: ({ payload }) => payload.name === "one" });
    expect(() => model.assertUsedUp()).toThrow("1 of 2 scripted answers were not requested: a function");
    await flock.publish(Idea({ text: "basil" }));
    await expectPublished(flock, Pizza, { where: ({ payload }) => payload.name === "call 2" });
    model.assertUsedUp();
    expect(model.calls.map(({ number }) => number)).toEqual([1, 2]);
    expect(model.calls[0]?.input).toContain("truffle");
    expect(model.calls[0]?.instructions).toContain("A cook.");
  });

  it("with payloads that are not objects, and with several types", async () => {
    const model = scriptedModel([[Pizza({ name: "x" }), Price(7)], Price(8)]);
    await using flock = new Flock({ model });
    flock.agent("chef").consumes(Idea).publishes(Pizza, Price);
    flock.agent("accountant").consumes(Pizza).publishes(Price);
    await flock.publish(Idea({ text: "x" }));
    const prices = await expectPublished(flock, Price, { count: 2 });
    expect(prices.map(({ payload }) => payload)).toEqual([7, 8]);
  });

  it("in chunks with usage", async () => {
    const text = ['{"name":', '"x"}'];
    await using flock = chef(scriptedModel([{ text, usage: { input: 10, output: 4 } }]));
    await flock.publish(Idea({ text: "x" }));
    expect((await expectRun(flock, "chef")).usage).toMatchObject({ input_tokens: 10, output_tokens: 4 });
    expect((await expectPublished(flock, Pizza)).payload.name).toBe("x");
  });

  it("with a tool call first, and receives its result", async () => {
    const model = scriptedModel([{ tools: [{ name: "larder", input: { of: "x" } }] }, Pizza({ name: "x" })]);
    const larder = tool({ inputSchema: z.object({ of: z.string() }), execute: async ({ of }) => `plenty of ${of}` });
    await using flock = new Flock({ model });
    flock.agent("chef").consumes(Idea).publishes(Pizza).tools({ larder });
    await flock.publish(Idea({ text: "x" }));
    await expectPublished(flock, Pizza);
    expect(model.calls[0]?.tools).toEqual(["larder"]);
    expect(model.calls[1]?.input).toContain("plenty of x");
  });

  it("after delays of its clock", async () => {
    const clock = fakeClock();
    const model = scriptedModel([{ text: ['{"name":', '"x"}'], delayMs: 1_000 }], { clock });
    await using flock = new Flock({ model, clock });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    await flock.publish(Idea({ text: "x" }));
    await clock.advance(1_999);
    expect(await flock.store.getByType(Pizza)).toEqual([]);
    await clock.advance(1);
    expect((await expectPublished(flock, Pizza)).payload.name).toBe("x");
    expect((await expectRun(flock, "chef")).duration_ms).toBe(2_000);
  });
});

describe("scripted model fails", () => {
  it("before or in the middle of an answer", async () => {
    const model = scriptedModel([new Error("overloaded"), { text: '{"na', error: new Error("cut") }]);
    await using flock = chef(model);
    await flock.publish(Idea({ text: "x" }));
    expect((await expectRun(flock, "chef", { status: "error" })).error?.message).toContain("overloaded");
    const { correlationId } = await flock.publish(Idea({ text: "y" }));
    const { error } = await expectRun(flock, "chef", { status: "error", correlationId });
    expect(error?.message).toMatch(/after 4 characters of its answer: cut/);
  });

  it("an invalid answer, which is requested again", async () => {
    const model = scriptedModel(["{}", Pizza({ name: "x" })]);
    await using flock = chef(model);
    await flock.publish(Idea({ text: "x" }));
    await expectPublished(flock, Pizza);
    expect(model.calls[1]?.input).toContain("name");
  });

  it("when the script has no more answers", async () => {
    await using flock = chef(scriptedModel([]));
    await flock.publish(Idea({ text: "x" }));
    const { error } = await expectRun(flock, "chef", { status: "error" });
    expect(error?.message).toMatch(/^No scripted answer for call 1: the script has 0 answers/);
  });
});
