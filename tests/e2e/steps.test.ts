import { fileURLToPath } from "node:url";
import { emptyState, type FlockEvent, reduceAll } from "@flock-ts/protocol";
import { tool } from "ai";
import { Flock } from "flock-ts";
import { offlineModel, resolveModel } from "flock-ts/engines/ai";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { mcpTools } from "flock-ts/tools/mcp";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock } from "../../packages/flock/src/core/clock.ts";
import type { LogSource } from "../../packages/flock/src/log/source.ts";
import { eventsOf } from "../support/events.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Answer, callsTool, failsWith, hangs, ModelServer, saysJson } from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";

const PIZZA = { name: "Tartufo", toppings: ["truffle"] };

/** Creates a flock with a chef whose model has these answers. */
async function kitchen(...answers: [Answer, ...Answer[]]) {
  const server = await ModelServer.start(...answers);
  const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
  const flock = new Flock({ model, prices: { "test-model": { input: 1_000_000, output: 0 } } });
  return {
    flock,
    server,
    chef: () => flock.agent("chef").consumes(Idea).publishes(Pizza),
    cook: async () => (await flock.invoke("chef", [Idea({ description: "truffle" })])).done,
    steps: () =>
      eventsOf(flock, "run_step_completed").map(({ step, kind, name, status }) => [step, kind, name, status].join(" ")),
    async [Symbol.asyncDispose]() {
      await flock.shutdown();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("steps of an agent with a model", () => {
  it("report the model, its tool, and the model again, each with tokens, time and price", async () => {
    await using at = await kitchen(callsTool("larder", { shelf: 3 }), saysJson(PIZZA));
    at.chef().tools({ larder: tool({ inputSchema: z.object({ shelf: z.int() }), execute: () => "truffle" }) });
    const { usage } = await at.cook();
    await at.flock.runUntilIdle();
    expect(at.steps()).toEqual(["0 model test-model success", "1 tool larder success", "2 model test-model success"]);
    const [first, larder, last] = eventsOf(at.flock, "run_step_completed");
    expect(first?.usage).toMatchObject({ input_tokens: 10, cost: 10 });
    expect(larder?.usage).toBeUndefined();
    const sum = (first?.usage?.total_tokens ?? 0) + (last?.usage?.total_tokens ?? 0);
    expect(usage).toMatchObject({ total_tokens: sum, cost: 20 });
    const [runBegan] = eventsOf(at.flock, "agent_execution_started");
    const [runEnded] = eventsOf(at.flock, "agent_execution_completed");
    for (const { seq, run_id } of [
      ...eventsOf(at.flock, "run_step_started"),
      ...eventsOf(at.flock, "run_step_completed"),
    ]) {
      expect(run_id).toBe(runBegan?.run_id);
      expect(seq).toBeGreaterThan(runBegan?.seq ?? 0);
      expect(seq).toBeLessThan(runEnded?.seq ?? 0);
    }
  });

  it("report a failed tool with its error and stack, although the run succeeds", async () => {
    await using at = await kitchen(callsTool("larder", {}), saysJson(PIZZA));
    const execute = (): string => {
      throw new RangeError("no such shelf", { cause: new Error("the light is broken") });
    };
    at.chef().tools({ larder: tool({ inputSchema: z.object({}), execute }) });
    expect((await at.cook()).status).toBe("success");
    expect(at.steps()[1]).toBe("1 tool larder error");
    expect(eventsOf(at.flock, "run_step_completed")[1]?.error).toMatchObject({
      name: "RangeError",
      message: "no such shelf",
      stack: /steps\.test\.ts/,
      cause: { message: "the light is broken" },
    });
  });

  it("report each attempt of a repeated request", async () => {
    await using at = await kitchen(failsWith(503, "busy"), saysJson(PIZZA));
    at.chef();
    expect((await at.cook()).status).toBe("success");
    expect(at.steps()).toEqual(["0 model test-model error", "1 model test-model success"]);
  });

  it("end with a stopped run", async () => {
    await using at = await kitchen(hangs());
    at.chef();
    const { runId, done } = await at.flock.invoke("chef", [Idea({ description: "slow" })]);
    await at.server.requested(1);
    await at.flock.cancel({ runId });
    expect((await done).status).toBe("cancelled");
    const [ended] = eventsOf(at.flock, "agent_execution_completed");
    const begun = eventsOf(at.flock, "agent_execution_started");
    const told = [...begun, ...eventsOf(at.flock, "run_step_started"), ...eventsOf(at.flock, "run_step_completed")];
    for (const { seq } of told) expect(seq).toBeLessThan(ended?.seq ?? 0);
    const run = reduceAll(emptyState(), [...told, ...(ended ? [ended] : [])]).runs.get(runId);
    expect(run?.steps).toMatchObject([{ kind: "model", status: "cancelled", ended_at: expect.any(String) }]);
  });

  it("are also reported for the offline model", async () => {
    await using flock = new Flock({ model: offlineModel() });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    expect(eventsOf(flock, "run_step_completed")).toMatchObject([
      { kind: "model", status: "success", usage: { total_tokens: expect.any(Number) } },
    ]);
  });

  it("report the tools of an MCP server under the name that the model uses", async () => {
    await using at = await kitchen(callsTool("test_echo", { text: "hello" }), saysJson(PIZZA));
    const program = fileURLToPath(new URL("programs/mcp-server.ts", import.meta.url));
    const command = { name: "test", command: process.execPath, args: [program, "proper"] };
    at.chef().tools(at.flock.use(mcpTools({ ...command, allow: ["echo"] })));
    expect((await at.cook()).status).toBe("success");
    expect(at.steps()[1]).toBe("1 tool test_echo success");
  });
});

describe("persisted steps", () => {
  it("exist after a restart, and an open one has ended with its run", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    const isOpen = Promise.withResolvers<void>();
    const before = await Flock.open({ store: sqliteStore(path) });
    before
      .agent("chef")
      .consumes(Idea)
      .run(async (_, { step }) => {
        await step("tool", "larder", () => {});
        await step("tool", "oven", () => {
          isOpen.resolve();
          return new Promise<void>(() => {});
        });
      });
    const { runId } = await before.invoke("chef", [Idea({ description: "truffle" })]);
    await isOpen.promise;
    await before.shutdown();

    const store = await sqliteStore(path).open({ clock: systemClock });
    const log = store.log as LogSource;
    const events: FlockEvent[] = [];
    for (let seq = log.oldest; seq <= log.head; ) {
      const { last, lines } = await log.read(seq, log.head);
      events.push(...lines.split("\n").map((line) => JSON.parse(line) as FlockEvent));
      seq = last + 1;
    }
    await store.close();
    expect(reduceAll(emptyState(), events).runs.get(runId)).toMatchObject({
      status: "interrupted",
      steps: [
        { name: "larder", status: "success" },
        { name: "oven", status: "cancelled" },
      ],
    });
  });
});
