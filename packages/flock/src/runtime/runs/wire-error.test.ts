import { wireErrorSchema } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventsOf } from "../../../../../tests/support/events.ts";
import { Redaction } from "../../core/redaction.ts";
import { errorDetailOf, readable, wireErrorOf } from "../../core/wire-error.ts";
import { artifact, Flock, FlockError } from "../../index.ts";

const full = { detail: "full" } as const;
const Work = artifact("Work", z.object({}));

/** An object that throws on every access. */
const defended = () => {
  const refuse = () => {
    throw new Error("keep off");
  };
  return new Proxy(new Error("hidden"), {
    get: refuse,
    getPrototypeOf: refuse,
    has: refuse,
    ownKeys: refuse,
    getOwnPropertyDescriptor: refuse,
  });
};
const refusing = (name: string) =>
  Object.defineProperty(new Error("half"), name, {
    enumerable: true,
    get() {
      throw new Error("keep off");
    },
  });
const circular = () => {
  const error: Error = new Error("outer", { cause: new Error("inner") });
  (error.cause as Error).cause = error;
  return error;
};
const deep = (depth: number): Error => new Error(`at ${depth}`, depth === 0 ? {} : { cause: deep(depth - 1) });

/** What a function may throw, made when it is wanted: some of it not even the test's own library may touch. */
const thrown: fc.Arbitrary<() => unknown> = fc.oneof(
  fc
    .anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true, withNullPrototype: true })
    .map((anything) => () => anything),
  fc.string().map((message) => () => new Error(message)),
  fc.anything().map((cause) => () => new TypeError("with cause", { cause })),
  fc.anything().map((odd) => () => Object.assign(new Error("odd"), { message: odd, name: odd, stack: odd })),
  fc.array(fc.anything()).map((errors) => () => new AggregateError(errors, "several")),
  fc.constantFrom("message", "name", "stack", "cause", "errors", "code", "toJSON").map((name) => () => refusing(name)),
  fc.nat({ max: 12 }).map((depth) => () => deep(depth)),
  fc.constantFrom<() => unknown>(
    circular,
    defended,
    () => new Error("around", { cause: defended() }),
    () => Symbol("odd"),
    () => () => "a function",
    () => new Error("x".repeat(3_000_000)),
  ),
);

describe("any thrown value becomes an error that can be reported", () => {
  it("by itself", () => {
    fc.assert(
      fc.property(thrown, fc.constantFrom("full" as const, "message" as const), (what, detail) => {
        const told = wireErrorOf(what(), { detail, redaction: new Redaction() });
        expect(wireErrorSchema.strict().parse(told)).toEqual(told);
        const json = JSON.stringify(told);
        expect(json.length).toBeLessThan(600_000);
        expect(JSON.parse(json)).toEqual(told);
      }),
    );
  });

  it("and ends its run as a failure, whose words are logged", async () => {
    const logged: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void logged.push(line) });
    await fc.assert(
      fc.asyncProperty(thrown, fc.boolean(), async (what, waits) => {
        await using flock = new Flock({ logger });
        flock
          .agent("thrower")
          .consumes(Work)
          .run((): never | Promise<never> => {
            if (waits) return Promise.reject(what());
            throw what();
          });
        const { done } = await flock.invoke("thrower", [Work({})]);
        const { status, error } = await done;
        expect(status).toBe("error");
        wireErrorSchema.strict().parse(error);
        expect(await flock.deadLetters()).toMatchObject([{ error }]);
        expect(logged.pop()).toContain("a run failed");
      }),
      { numRuns: 60 },
    );
  });

  it("reports a thrown `undefined` or `null`", () => {
    expect(readable(undefined)).toMatchObject({
      message: "The agent failed: it threw `undefined` or `null`. Throw an `Error`.",
    });
    expect(readable(null)).toMatchObject({
      message: "The agent failed: it threw `undefined` or `null`. Throw an `Error`.",
    });
    const error = new Error("as it is");
    expect(readable(error)).toBe(error);
  });
});

describe("an error is reported with where it was thrown, and what lay under it", () => {
  it("four causes deep", () => {
    const { cause } = wireErrorOf(deep(7), full);
    expect(cause?.cause?.cause?.cause).toMatchObject({ message: "at 3" });
    expect(cause?.cause?.cause?.cause).not.toHaveProperty("cause");
  });

  it("each once, however they refer to each other", () => {
    const told = wireErrorOf(circular(), full);
    expect(told).toMatchObject({ message: "outer", cause: { message: "inner" } });
    expect(told.cause).not.toHaveProperty("cause");
  });

  it("a cause that is no error as text", () => {
    expect(wireErrorOf(new Error("a", { cause: "because" }), full).cause).toEqual({
      name: "Error",
      message: "because",
    });
    expect(wireErrorOf(new Error("a", { cause: { code: 7 } }), full).cause?.message).toBe("{ code: 7 }");
  });

  it("the first of several", () => {
    const told = wireErrorOf(new AggregateError([new RangeError("one"), new Error("two")], "all failed"), full);
    expect(told).toMatchObject({
      name: "AggregateError",
      message: "all failed (the first of 2 errors)",
      cause: { name: "RangeError", message: "one" },
    });
  });

  it("by the code of an error of ours", () => {
    expect(wireErrorOf(new FlockError("tool_failed", "no"), full)).toMatchObject({
      name: "tool_failed",
      message: "no",
    });
  });

  it("and says when something of the stack is left out; the places are there however long the message is", () => {
    const error = new Error("m".repeat(100_000));
    expect(wireErrorOf(error, full).stack).toMatch(/^Error: m+…\n\s+at .*wire-error\.test\.ts/);
    error.stack = `Error: short${"\n    at somewhere (file.ts:1:1)".repeat(1_000)}`;
    const { stack = "" } = wireErrorOf(error, full);
    expect(stack.length).toBeLessThan(8_600);
    expect(stack).toMatch(/\n… \d+ more characters$/);
  });

  it("without secrets, in message, stack and causes, also where a text is cut", () => {
    const secret = "sk-abcdefghijklmnopqrstuvwxyz123456";
    const told = wireErrorOf(
      new Error(`${"x ".repeat(1_995)}${secret}`, { cause: new Error(`${secret} is not valid`, { cause: secret }) }),
      { detail: "full", redaction: new Redaction() },
    );
    expect(JSON.stringify(told)).not.toContain("sk-abc");
    expect(told.cause).toMatchObject({ message: "[redacted] is not valid", cause: { message: "[redacted]" } });
  });
});

describe("errorDetail", () => {
  it("is the name and the message alone in production, and everything elsewhere", () => {
    expect(errorDetailOf({ NODE_ENV: "production" })).toBe("message");
    expect(errorDetailOf({ NODE_ENV: "test" })).toBe("full");
    expect(errorDetailOf({})).toBe("full");
  });

  it("can be said, and holds for events, steps and dead letters", async () => {
    for (const errorDetail of ["message", "full"] as const) {
      await using flock = new Flock({ errorDetail });
      flock
        .agent("thrower")
        .consumes(Work)
        .run((_, { step }) =>
          step("tool", "oven", () => {
            throw new Error("burnt", { cause: new Error("too hot") });
          }),
        );
      await flock.publish(Work({}));
      await flock.runUntilIdle();
      const told = [...eventsOf(flock, "run_step_completed"), ...eventsOf(flock, "agent_execution_completed")];
      expect(told).toHaveLength(2);
      for (const { error } of [...told, ...(await flock.deadLetters())]) {
        if (errorDetail === "message") expect(error).toEqual({ name: "Error", message: "burnt" });
        else expect(error).toMatchObject({ stack: /wire-error\.test\.ts/, cause: { message: "too hot" } });
      }
    }
  });
});
