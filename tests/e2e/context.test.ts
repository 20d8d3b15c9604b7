import { tool } from "ai";
import fc from "fast-check";
import { artifact, Flock, type FlockOptions, history } from "flock-ts";
import { ask, resolveModel } from "flock-ts/engines/ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Answer, callsTool, ModelServer, saysJson } from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { secrets } from "../support/secrets.ts";

const PIZZA = { name: "Tartufo", toppings: ["truffle"] };
const Note = artifact("Note", z.unknown());

async function kitchen(options: Omit<FlockOptions, "model"> = {}, ...answers: Answer[]) {
  const server = await ModelServer.start(...((answers.length > 0 ? answers : [saysJson(PIZZA)]) as [Answer]));
  const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
  const flock = await Flock.open({ ...options, model });
  return {
    server,
    flock,
    chef: () => flock.agent("chef").consumes(Idea).publishes(Pizza),
    /** Everything that was sent to the model. */
    sent: () => JSON.stringify(server.requests.map(({ body }) => body)),
    message: () => String(server.requests.at(-1)?.body.messages.at(-1)?.content),
    async [Symbol.asyncDispose]() {
      await flock.shutdown();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("context of a model", () => {
  it("is in its message under the names of the providers, separate from the input", async () => {
    await using at = await kitchen();
    at.flock.register(Note);
    at.chef().context({ earlier: history({ types: [Note] }), weather: async () => ({ sky: "grey" }) });
    await at.flock.publish(Note("no capers"), { correlationId: "a" });
    await at.flock.publish(Idea({ description: "truffle" }), { correlationId: "a" });
    await at.flock.runUntilIdle();
    expect(JSON.parse(at.message())).toEqual({
      context: { earlier: [expect.objectContaining({ type: "Note", payload: "no capers" })], weather: { sky: "grey" } },
      input: [{ type: "Idea", payload: { description: "truffle" } }],
    });
    expect(String(at.server.requests[0]?.body.messages[0]?.content)).toContain('"context" is additional information');
    expect(await at.flock.store.getByType(Pizza)).toEqual([PIZZA]);
  });

  it("is included when a function asks, unless it passes other context", async () => {
    await using at = await kitchen();
    at.flock
      .agent("chef")
      .consumes(Idea)
      .context({ weather: () => "rain" })
      .run(async (_, context) => {
        await ask(context, Pizza, { input: "anything" });
        await ask(context, Pizza, { input: "anything", given: {} });
      });
    await at.flock.publish(Idea({ description: "x" }));
    await at.flock.runUntilIdle();
    const messages = at.server.requests.map(({ body }) => body.messages[1]?.content);
    expect(messages[0]).toBe(JSON.stringify({ context: { weather: "rain" }, input: "anything" }, null, 2));
    expect(messages[1]).toBe("anything");
  });
});

describe("secrets are hidden from the model", () => {
  it("in inputs, history, context, instructions and tools, while stored data keeps them", async () => {
    await using at = await kitchen();
    let secret = "";
    at.flock.register(Note);
    at.chef()
      .instructions("Say nothing of sk-ABCDEFGHIJKLMNOPQRSTUV")
      .context({
        earlier: history({ correlation: false }),
        file: () => ({ "a.env": secret, nested: JSON.stringify({ secret }) }),
      });
    await fc.assert(
      fc.asyncProperty(secrets, async ({ text, core }) => {
        secret = text;
        at.server.requests.length = 0;
        await at.flock.publish(Note({ deep: [{ note: `"${text}"` }] }));
        await at.flock.publish(Idea({ description: `use ${text} for it` }));
        await at.flock.runUntilIdle();
        expect(at.server.requests).toHaveLength(1);
        expect(at.sent()).not.toContain(core);
        expect(at.sent()).not.toContain("sk-ABC");
        expect((await at.flock.store.getByType(Idea)).at(-1)?.description).toContain(core);
      }),
      { numRuns: 40 },
    );
  });

  it("in tool results", async () => {
    const key = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    await using at = await kitchen({}, callsTool("vault", {}), saysJson(PIZZA));
    at.chef().tools({
      vault: tool({
        inputSchema: z.object({}),
        execute: async () => ({ notes: [`it is ${key}`], password: "hunter2" }),
      }),
    });
    await at.flock.publish(Idea({ description: "x" }));
    await at.flock.runUntilIdle();
    expect(at.server.requests).toHaveLength(2);
    expect(at.message()).toContain("it is [redacted]");
    expect(at.sent()).not.toMatch(/ghp_0|hunter2/);
  });

  it("by patterns of the flock and of the agent", async () => {
    await using at = await kitchen({ redact: [/EMP-\d+/] });
    at.chef().redact([/badge \d+/]);
    await at.flock.publish(Idea({ description: "EMP-17 with badge 4, room 9" }));
    await at.flock.runUntilIdle();
    expect(at.message()).toContain('"[redacted] with [redacted], room 9"');
  });

  it("unless its agent disables redaction", async () => {
    await using at = await kitchen();
    at.chef().redact(false);
    await at.flock.publish(Idea({ description: "sk-ABCDEFGHIJKLMNOPQRSTUV" }));
    await at.flock.runUntilIdle();
    expect(at.message()).toContain("sk-ABCDEFGHIJKLMNOPQRSTUV");
  });
});
