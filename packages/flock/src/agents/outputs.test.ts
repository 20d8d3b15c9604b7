import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { artifact, type Draft, Flock, type OutputOptions } from "../index.ts";

const Topic = artifact("Topic", z.object({ n: z.number() }));
const Headline = artifact("Headline", z.object({ text: z.string() }));
const Summary = artifact("Summary", z.object({ words: z.number() }));

const headlines = (n: number) => Array.from({ length: n }, (_, i) => Headline({ text: `headline ${i}` }));

/** Runs an agent with these output options once. Returns the end of the run and the published payloads. */
async function outcomeOf(options: OutputOptions<typeof Headline>, drafts: readonly Draft[]) {
  await using flock = new Flock();
  flock
    .agent("writer")
    .consumes(Topic)
    .publishes(Headline, options)
    .publishes(Summary)
    .run(() => drafts as never);
  const { done } = await flock.invoke("writer", [Topic({ n: 1 })]);
  const { status, error } = await done;
  const { artifacts } = await flock.store.query({ types: ["Headline", "Summary"] });
  return { status, error, published: artifacts.map(({ payload }) => payload).reverse() };
}

describe("fanOut", () => {
  it("sets the number of artifacts per run, and rejects other numbers", async () => {
    expect(await outcomeOf({ fanOut: 2 }, headlines(2))).toMatchObject({ status: "success", published: [{}, {}] });
    expect(await outcomeOf({ fanOut: 2 }, [...headlines(1), Summary({ words: 1 })])).toMatchObject({
      status: "error",
      error: {
        name: "wrong_output",
        message: "Invalid output of agent `writer`: it returned 1 × `Headline`, but declares a `fanOut` of 2",
      },
      published: [],
    });
  });

  it("accepts a range", async () => {
    const statusOf = async (fanOut: OutputOptions["fanOut"], n: number) =>
      (await outcomeOf({ fanOut: fanOut as never }, headlines(n))).status;
    for (const n of [1, 2, 3, 4])
      expect(await statusOf({ min: 2, max: 3 }, n)).toBe(n === 2 || n === 3 ? "success" : "error");
    expect(await statusOf({ min: 2 }, 9)).toBe("success");
    expect(await statusOf({ max: 2 }, 0)).toBe("success");
    expect((await outcomeOf({ fanOut: { min: 2 } }, [])).error?.message).toContain("at least 2");
    expect((await outcomeOf({ fanOut: { max: 2 } }, headlines(3))).error?.message).toContain("0 to 2");
  });
});

describe("where", () => {
  it("drops artifacts for which it is false, after fanOut has counted them", async () => {
    const where = ({ text }: { text: string }) => text.endsWith("1");
    expect(await outcomeOf({ fanOut: 3, where }, [...headlines(3), Summary({ words: 2 })])).toMatchObject({
      status: "success",
      published: [{ text: "headline 1" }, { words: 2 }],
    });
  });
});

describe("validate", () => {
  const validate = ({ text }: { text: string }) => text !== "headline 1" || "headline 1 is a bad one";

  it("ends the run with its error message and publishes nothing", async () => {
    expect(await outcomeOf({ validate }, [Summary({ words: 2 }), ...headlines(2)])).toMatchObject({
      status: "error",
      error: { name: "wrong_output", message: "headline 1 is a bad one" },
      published: [],
    });
    expect(await outcomeOf({ validate }, headlines(1))).toMatchObject({ status: "success" });
  });

  it("is not called for dropped artifacts", async () => {
    const where = ({ text }: { text: string }) => text !== "headline 1";
    expect(await outcomeOf({ where, validate }, headlines(3))).toMatchObject({
      status: "success",
      published: [{}, {}],
    });
  });

  it("ends the run when it throws or returns no result", async () => {
    const broken = () => {
      throw new RangeError("no dictionary");
    };
    expect((await outcomeOf({ validate: broken }, headlines(1))).error?.name).toBe("RangeError");
    const silent = (() => undefined) as never;
    expect((await outcomeOf({ validate: silent }, headlines(1))).error?.message).toContain(
      "Return `true` or an error message",
    );
  });
});

describe("visibility", () => {
  it("is computed for each artifact", async () => {
    const seen: string[] = [];
    const visibility = ({ text }: { text: string }) => {
      seen.push(text);
      return { kind: "public" } as const;
    };
    expect(await outcomeOf({ visibility }, headlines(2))).toMatchObject({ status: "success" });
    expect(seen).toEqual(["headline 0", "headline 1"]);
  });

  it("ends the run when it is invalid", async () => {
    const { error, published } = await outcomeOf({ visibility: () => ({ kind: "secret" }) as never }, headlines(1));
    expect(error).toMatchObject({
      name: "wrong_output",
      message: expect.stringContaining("Invalid visibility of `Headline`"),
    });
    expect(published).toEqual([]);
  });
});

describe("invalid output options", () => {
  it("are named", () => {
    const wrong: [object, RegExp][] = [
      [{ fanOut: 0 }, /fanOut: Too small/],
      [{ fanOut: { min: 3, max: 2 } }, /fanOut: min must not be more than max/],
      [{ fanOut: "many" }, /fanOut: must be an integer/],
      [{ fanout: 3 }, /fanout/],
      [{ validate: "yes" }, /validate: must be a function/],
      [{ visibility: { kind: "secret" } }, /visibility: must be a visibility/],
    ];
    for (const [options, message] of wrong) {
      expect(() =>
        new Flock()
          .agent("a")
          .consumes(Topic)
          .publishes(Headline, options as never),
      ).toThrow(message);
    }
  });
});

describe("output types", () => {
  it("follow the published types", () => {
    const builder = new Flock()
      .agent("typed")
      .consumes(Topic)
      .publishes(Headline, Summary, {
        where: (payload) => {
          expectTypeOf(payload).toEqualTypeOf<{ text: string } | { words: number }>();
          return true;
        },
      });
    builder.run(() => [Headline({ text: "x" }), Summary({ words: 1 })]);
    const strict = () =>
      new Flock()
        .agent("strict")
        .consumes(Topic)
        .publishes(Headline, { fanOut: 1, validate: ({ text }) => text !== "" || "empty" });
    // @ts-expect-error: it publishes Headline, not Summary
    strict().run(() => Summary({ words: 1 }));
    const field = new Flock().agent("field").consumes(Topic);
    // @ts-expect-error: unknown field
    field.publishes(Headline, { where: ({ nothing }) => nothing === 1 });
  });
});
