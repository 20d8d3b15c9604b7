import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { artifact, Flock } from "../../index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";

const Message = artifact("Message", z.object({ n: z.int() }));
const Memory = artifact("Memory", z.object({ messages: z.int() }));
const Ping = artifact("Ping", z.object({ n: z.int() }));
const Pong = artifact("Pong", z.object({ n: z.int() }));

/** Two agents that trigger each other for ever. `played` collects the runs. */
function pingPong(flock: Flock, played: number[] = []): number[] {
  for (const [name, from, to] of [
    ["ping", Ping, Pong],
    ["pong", Pong, Ping],
  ] as const) {
    flock
      .agent(name)
      .consumes(from)
      .publishes(to)
      .run((inputs: object) => {
        const [{ n }] = Object.values(inputs);
        played.push(n);
        return to({ n: n + 1 });
      });
  }
  return played;
}

describe("the loop guard", () => {
  it("ends a loop of several agents, and lets other work of its workflow go on", async () => {
    const flock = new Flock({ maxDepth: 10 });
    const played = pingPong(flock);
    const { correlationId } = await flock.publish(Ping({ n: 1 }));
    await flock.runUntilIdle();
    expect(played).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await flock.deadLetters()).toMatchObject([
      { correlationId, agentId: "ping", attempts: 1, error: { name: "LoopError" } },
    ]);
    await flock.publish(Ping({ n: 101 }), { correlationId });
    await flock.runUntilIdle();
    expect(played.slice(10)).toEqual([101, 102, 103, 104, 105, 106, 107, 108, 109, 110]);
    await flock.shutdown();
  });

  it("does not count the messages of a chat that keeps its correlation id, nor what an agent remembers of them", async () => {
    const flock = new Flock({ maxDepth: 5 });
    flock
      .agent("friend")
      .consumes(Message, Memory)
      .publishes(Memory)
      .preventSelfTrigger(false)
      .run(({ Memory: { messages } }) => Memory({ messages: messages + 1 }));
    await flock.publish(Memory({ messages: 0 }), { correlationId: "chat" });
    for (let n = 0; n < 3_000; n++) await flock.publish(Message({ n }), { correlationId: "chat" });
    await flock.runUntilIdle();
    expect(await flock.deadLetters()).toEqual([]);
    expect((await flock.store.getByType(Memory)).at(-1)).toEqual({ messages: 3_000 });
    await flock.shutdown();
  });

  it("does not count the items of a fan-out", async () => {
    const flock = new Flock();
    let worked = 0;
    flock
      .agent("splitter")
      .consumes(Message)
      .publishes(Ping)
      .run(() => Array.from({ length: 20_000 }, (_, n) => Ping({ n })));
    flock
      .agent("worker")
      .consumes(Ping)
      .run(() => void worked++);
    await flock.publish(Message({ n: 1 }));
    await flock.runUntilIdle();
    expect(worked).toBe(20_000);
    expect(flock.stats().runs).toMatchObject({ success: 20_001, error: 0 });
    await flock.shutdown();
  });

  it.each(["publish", "invoke"] as const)("ends a loop of functions that call flock.%s themselves", async (how) => {
    const flock = new Flock({ maxDepth: 10 });
    let rounds = 0;
    flock
      .agent("self")
      .consumes(Ping)
      .run(async ({ Ping: { n } }) => {
        rounds += 1;
        if (how === "publish") await flock.publish(Ping({ n: n + 1 }));
        else await flock.invoke("self", [Ping({ n: n + 1 })]);
      });
    await flock.publish(Ping({ n: 1 }));
    await flock.runUntilIdle();
    expect(rounds).toBe(10);
    expect(await flock.deadLetters()).toMatchObject([{ error: { name: "LoopError" } }]);
    await flock.shutdown();
  });

  it("goes on counting after a restart, and after a dead letter is retried", async () => {
    await using folder = await temporaryFolder();
    const store = () => sqliteStore(join(folder.path, "flock.db"));
    const first = await Flock.open({ store: store(), maxDepth: 10 });
    const hasPlayed = Promise.withResolvers<void>();
    first
      .agent("ping")
      .consumes(Ping)
      .publishes(Pong)
      .run(({ Ping: { n } }) => Pong({ n: n + 1 }));
    first
      .agent("pong")
      .consumes(Pong)
      .publishes(Ping)
      .run(async ({ Pong: { n } }) => {
        if (n < 6) return Ping({ n: n + 1 });
        hasPlayed.resolve();
        return await new Promise<never>(() => {});
      });
    await first.publish(Ping({ n: 1 }));
    await hasPlayed.promise;
    await first.shutdown();

    const second = await Flock.open({ store: store(), maxDepth: 10 });
    const played = pingPong(second);
    await second.runUntilIdle();
    expect(played).toEqual([6, 7, 8, 9, 10]);
    await second.shutdown();

    const third = await Flock.open({ store: store(), maxDepth: 10 });
    expect(pingPong(third)).toEqual([]);
    const [letter] = await third.deadLetters();
    const { done } = await third.retryDeadLetter(letter?.id ?? "");
    expect(await done).toMatchObject({ status: "error", error: { name: "LoopError" } });
    await third.shutdown();

    const fourth = await Flock.open({ store: store(), maxDepth: 12 });
    const more = pingPong(fourth);
    await (await fourth.retryDeadLetter(letter?.id ?? "")).done;
    await fourth.runUntilIdle();
    expect(more).toEqual([11, 12]);
    await fourth.shutdown();
  });
});
