import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";

const Topic = artifact("Topic", z.object({ n: z.int() }));
const Text = artifact("Text", z.object({ text: z.string() }));

/** Yields until it is stopped, without ever waiting for anything. */
async function* babble(signal: AbortSignal, said: { pieces: number }) {
  try {
    while (!signal.aborted) {
      said.pieces += 1;
      yield "blah ";
    }
  } finally {
    said.pieces = -said.pieces;
  }
  return Text({ text: "" });
}

describe.each([1, 3])("a generator that yields without I/O (%i candidates)", (candidates) => {
  /** An agent that babbles, or tries to several times in parallel. */
  function babbler(ms?: number) {
    const flock = new Flock();
    const said = { pieces: 0 };
    const agent = flock.agent("babbler").consumes(Topic).publishes(Text);
    if (candidates > 1) agent.bestOf(candidates, () => 1);
    if (ms !== undefined) agent.timeout(ms);
    agent.run((_, { signal }) => babble(signal, said));
    return { flock, said };
  }

  it("ends at its timeout", async () => {
    const { flock, said } = babbler(100);
    const { done } = await flock.invoke("babbler", [Topic({ n: 1 })]);
    const end = await done;
    expect(end).toMatchObject({ status: "timeout" });
    expect(end.durationMs).toBeLessThan(5_000);
    // Its `finally` block has run.
    await expect.poll(() => said.pieces).toBeLessThan(0);
    await flock.shutdown();
  });

  it("lets timers and other runs work, and can be cancelled", async () => {
    const { flock, said } = babbler();
    let written = 0;
    flock
      .agent("writer")
      .consumes(Topic)
      .run(() => void written++);
    const { done, runId } = await flock.invoke("babbler", [Topic({ n: 1 })]);
    for (let n = 0; n < 3; n++) await (await flock.invoke("writer", [Topic({ n })])).done;
    expect(written).toBe(3);
    expect(said.pieces).toBeGreaterThan(0);
    expect((await flock.cancel({ runId })).cancelled).toBe(1);
    expect(await done).toMatchObject({ status: "cancelled" });
    await flock.shutdown();
  });
});

describe("a function that holds up the event loop for longer than its timeout", () => {
  it("ends as a timeout, although its timer could not fire", async () => {
    const flock = new Flock();
    flock
      .agent("blocker")
      .consumes(Topic)
      .timeout(20)
      .run(async () => {
        await Promise.resolve();
        for (const until = Date.now() + 60; Date.now() < until; );
      });
    const { done } = await flock.invoke("blocker", [Topic({ n: 1 })]);
    expect(await done).toMatchObject({ status: "timeout", error: { name: "RunTimedOut" } });
    await flock.shutdown();
  });
});
