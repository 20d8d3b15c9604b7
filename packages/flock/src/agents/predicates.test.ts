import { Writable } from "node:stream";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, type Draft, Flock, type RunContext } from "../index.ts";
import { AgentComponent } from "../middleware/index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));

/** A promise that rejects later: Vitest fails the run if nothing handles it. */
const failing = () => Promise.reject(new Error("rejected")) as never;

/** A flock and the errors that it logs. */
function loggedFlock() {
  const lines: { err?: { message: string; code?: string } }[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      lines.push(JSON.parse(String(line)));
      done();
    },
  });
  const flock = new Flock({ logger: pino({ level: "warn" }, stream) });
  return { flock, errors: () => lines.map(({ err }) => err?.message) };
}

describe("a predicate", () => {
  it("that is async is refused where it is declared", () => {
    const agent = () => new Flock().agent("a");
    const wrong = async () => true;
    expect(() => agent().consumes(Idea, { where: wrong as never })).toThrow(
      /where: must be a plain function, not async/,
    );
    expect(() => agent().consumes(Idea, { whereGroup: wrong as never })).toThrow(/whereGroup: must be a plain/);
    expect(() => agent().consumes(Idea, Pizza, { join: { by: wrong as never } })).toThrow(/join\.by: must be/);
    expect(() => agent().publishes(Pizza, { where: wrong as never })).toThrow(/where: must be a plain/);
    expect(() => agent().publishes(Pizza, { validate: wrong as never })).toThrow(/validate: must be a plain/);
    expect(() => agent().retry({ attempts: 2, when: wrong as never })).toThrow(/when: must be a plain/);
  });

  it.each([
    ["where", { where: failing }, /Invalid result of `where` of agent `a`: it returned a promise\. Return a boolean\./],
    ["where", { where: () => 1 as never }, /it returned `1`\. Return a boolean/],
    ["whereGroup", { whereGroup: failing }, /`whereGroup` of agent `a`: it returned a promise/],
  ])(
    "%s that returns no boolean is an error at its first call, and never triggers",
    async (_name, options, message) => {
      const { flock, errors } = loggedFlock();
      await using _ = flock;
      let runs = 0;
      flock
        .agent("a")
        .consumes(Idea, options)
        .run(() => void runs++);
      await flock.publish(Idea({ text: "x" }));
      await flock.runUntilIdle();
      expect(runs).toBe(0);
      expect(errors()).toEqual([expect.stringMatching(message)]);
    },
  );

  it("join.by that returns no key is an error at its first call", async () => {
    const { flock, errors } = loggedFlock();
    await using _ = flock;
    flock
      .agent("a")
      .consumes(Idea, Pizza, { join: { by: failing } })
      .run(() => {});
    await flock.publish(Idea({ text: "x" }));
    expect(errors()).toEqual([
      expect.stringMatching(/`join\.by` of agent `a`: it returned a promise\. Return a string/),
    ]);
  });

  it.each([
    ["where", { where: failing }],
    ["validate", { validate: failing }],
    ["visibility", { visibility: failing }],
  ])("%s of an output that returns a promise fails the run", async (name, options) => {
    await using flock = new Flock({ logger: pino({ level: "silent" }) });
    flock
      .agent("a")
      .consumes(Idea)
      .publishes(Pizza, options as never)
      .run(() => Pizza({ name: "x" }));
    const { error } = await (await flock.invoke("a", [Idea({ text: "x" })])).done;
    expect(error).toMatchObject({
      name: "wrong_output",
      message: expect.stringMatching(
        `Invalid result of \`${name}\` for \`Pizza\` in agent \`a\`: it returned a promise`,
      ),
    });
  });

  it("`when` of a retry that returns a promise is logged, and there is no other attempt", async () => {
    const { flock, errors } = loggedFlock();
    await using _ = flock;
    flock
      .agent("a")
      .consumes(Idea)
      .retry({ attempts: 3, delay: 0, when: failing })
      .run(() => {
        throw new Error("no");
      });
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    expect(errors()).toContainEqual(expect.stringMatching(/`when` of `\.retry\(…\)`: it returned a promise/));
    expect((await flock.deadLetters())[0]).toMatchObject({ attempts: 1 });
  });

  it("a component whose hook returns a promise fails the run, except in `evaluate`", async () => {
    class Wrong extends AgentComponent {
      readonly name = "wrong";
      override consume() {
        return failing();
      }
      override evaluate(_run: RunContext, next: () => Promise<readonly Draft[]>) {
        return next();
      }
    }
    await using flock = new Flock({ logger: pino({ level: "silent" }) });
    flock
      .agent("a")
      .use(new Wrong())
      .consumes(Idea)
      .run(() => {});
    const { error } = await (await flock.invoke("a", [Idea({ text: "x" })])).done;
    expect(error?.message).toMatch(/Component `wrong` failed in `consume`: it returned a promise/);
  });
});
