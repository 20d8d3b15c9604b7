import { eventSchema, type FlockEvent } from "@flock-ts/protocol";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ stars: z.number() }));

function eventsOf(flock: Flock): FlockEvent[] {
  const { frames } = flock.log.buffer.read(flock.log.oldest - 1, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)].map((text) => eventSchema.parse(JSON.parse(text)));
}
const only = <T extends FlockEvent["type"]>(flock: Flock, type: T) =>
  eventsOf(flock).filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);

const stars = (drafts: readonly { readonly payload: { readonly stars: number } }[]) => drafts[0]?.payload.stars ?? 0;

/** Tries that come to these, one after the other; an error fails. */
function chefOf(flock: Flock, tries: readonly (number | Error)[], score = stars) {
  let next = 0;
  flock
    .agent("chef")
    .consumes(Idea)
    .publishes(Pizza)
    .bestOf(tries.length, score)
    .run(async function* (_inputs, context) {
      const one = tries[next++] as number | Error;
      // The later ones are done first, and all stream at the same time.
      for (let turn = 0; turn < 10 - next; turn++) await Promise.resolve();
      yield `${String(one)} `;
      context.addUsage({ tokens: 10 });
      await Promise.resolve();
      yield "done";
      if (one instanceof Error) throw one;
      return Pizza({ stars: one });
    });
}

async function ended(flock: Flock) {
  await flock.publish(Idea({ text: "truffle" }));
  await flock.runUntilIdle();
  const [completed, ...others] = only(flock, "agent_execution_completed");
  expect(others).toEqual([]);
  return completed as Extract<FlockEvent, { type: "agent_execution_completed" }>;
}

describe("bestOf publishes the best of several tries", () => {
  it("and drops the others; their usage and scores are reported", async () => {
    await using flock = new Flock();
    chefOf(flock, [2, 5, 3]);
    expect(await ended(flock)).toMatchObject({
      status: "success",
      usage: { tokens: 30, candidates: 3, candidates_failed: 0, score_1: 2, score_2: 5, score_3: 3 },
    });
    expect(await flock.store.getByType(Pizza)).toEqual([{ stars: 5 }]);
  });

  it("and shows what the best one has streamed, whole and alone", async () => {
    await using flock = new Flock();
    chefOf(flock, [2, 5, 3]);
    await ended(flock);
    const pieces = only(flock, "streaming_output");
    expect(pieces.map(({ content }) => content).join("")).toBe("5 done");
    expect(pieces.at(-1)?.is_complete).toBe(true);
  });

  it("and tells the steps of each: all of them took their time", async () => {
    await using flock = new Flock();
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .bestOf(2, stars)
      .run((_, { step }) => step("tool", "oven", () => Pizza({ stars: 1 })));
    await ended(flock);
    expect(only(flock, "run_step_completed").map(({ step, name }) => [step, name])).toEqual([
      [0, "oven"],
      [1, "oven"],
    ]);
  });

  it("the first of equals", async () => {
    await using flock = new Flock();
    chefOf(flock, [4, 4], () => 1);
    await ended(flock);
    expect(only(flock, "streaming_output")[0]?.content).toBe("4 done");
  });

  it("with a score that takes its time, and knows the run", async () => {
    await using flock = new Flock();
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .bestOf(2, async (drafts, context) => {
        expectTypeOf(drafts[0]?.payload.stars).toEqualTypeOf<number | undefined>();
        expect(context.artifacts[0]?.type).toBe("Idea");
        await Promise.resolve();
        return stars(drafts);
      })
      .run(() => Pizza({ stars: 1 }));
    expect((await ended(flock)).status).toBe("success");
  });
});

describe("what fails among the tries does not fail the run", () => {
  it("unless all do: then the first one's error is the run's", async () => {
    await using flock = new Flock();
    chefOf(flock, [new Error("burnt"), 1, new Error("raw")]);
    expect(await ended(flock)).toMatchObject({ status: "success", usage: { candidates_failed: 2, score_2: 1 } });
    await using other = new Flock();
    chefOf(other, [new Error("burnt"), new Error("raw")]);
    expect(await ended(other)).toMatchObject({ status: "error", error: { message: "burnt" } });
    expect(only(other, "streaming_output")).toEqual([]);
  });

  it("be it an output that the agent may not publish, or a score that is none", async () => {
    await using flock = new Flock();
    let next = 0;
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza, { validate: ({ stars: n }) => n > 0 || "no stars" })
      .bestOf(4, (drafts) => (stars(drafts) === 9 ? Number.NaN : stars(drafts)))
      .run(() => {
        const one = [
          Idea({ text: "no pizza" }) as never,
          Pizza({ stars: 0 }),
          Pizza({ stars: 9 }),
          Pizza({ stars: 1 }),
        ];
        return one[next++] as ReturnType<typeof Pizza>;
      });
    expect(await ended(flock)).toMatchObject({ status: "success", usage: { candidates_failed: 3, score_4: 1 } });
    expect(await flock.store.getByType(Pizza)).toEqual([{ stars: 1 }]);
  });
});

describe("the end of the run reaches every try", () => {
  it("when it is cancelled, or takes too long", async () => {
    for (const how of ["cancelled", "timeout"] as const) {
      await using flock = new Flock();
      const aborted: number[] = [];
      let tries = 0;
      const builder = flock
        .agent("chef")
        .consumes(Idea)
        .publishes(Pizza)
        .bestOf(3, () => {
          throw new Error("nothing is left to score");
        });
      if (how === "timeout") builder.timeout(5);
      const all = Promise.withResolvers<void>();
      builder.run(async (_inputs, { signal }) => {
        const number = ++tries;
        if (tries === 3) all.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.push(number);
        return [];
      });
      const { correlationId } = await flock.publish(Idea({ text: "truffle" }));
      await all.promise;
      if (how === "cancelled") await flock.cancel({ correlationId });
      await flock.runUntilIdle();
      expect(aborted).toEqual([1, 2, 3]);
      expect(only(flock, "agent_execution_completed")).toMatchObject([{ status: how }]);
    }
  });
});

describe("bestOf refuses", () => {
  it.for([0, 101, 1.5])("%s tries", (count) => {
    const chef = new Flock().agent("chef").consumes(Idea).publishes(Pizza);
    expect(() => chef.bestOf(count, stars)).toThrow(/`bestOf` of agent `.*`: count/);
    expect(() => chef.bestOf(2, undefined as never)).toThrow(/`bestOf` of agent `.*`: score/);
  });
});
