import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { artifact, Flock, visibility } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const idea = Idea({ text: "truffle" });

/** A flock whose cook never ends, without its types: what plain JavaScript, or a cast, can do to it. */
// biome-ignore lint/suspicious/noExplicitAny: the compiler refuses most of these calls
async function untyped(): Promise<any> {
  const flock = new Flock();
  onTestFinished(() => flock.shutdown());
  flock
    .agent("cook")
    .consumes(Idea)
    .run((_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", reject)));
  await flock.invoke("cook", [idea]);
  return flock;
}

it("cancels nothing when the id is missing or misspelt", async () => {
  const flock = await untyped();
  for (const what of [undefined, {}, "id", { runId: undefined }, { correlationId: undefined }, { run_id: "x" }]) {
    await expect(flock.cancel(what)).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringMatching(/^Invalid options for `cancel`: .*must be `{ runId }` or `{ correlationId }`/),
    });
  }
  expect(flock.stats().runs).toMatchObject({ running: 1, cancelled: 0 });
});

it("drops and moves no orphaned work when a condition is misspelt", async () => {
  const flock = await untyped();
  for (const selector of [undefined, { agent: "cook" }, { agentId: "cook", run: "1" }]) {
    await expect(flock.dropOrphans(selector)).rejects.toMatchObject({ code: "invalid_options" });
    await expect(flock.moveOrphans(selector, "cook")).rejects.toMatchObject({ code: "invalid_options" });
  }
});

it("refuses a second draft in the place of the options, instead of losing it", async () => {
  const flock = await untyped();
  await expect(flock.publish(idea, idea)).rejects.toThrow(
    "Invalid options for `publish`: they are a draft. Pass several drafts as a list: `flock.publish([first, second])`.",
  );
});

it("names unknown and wrong options of publish and invoke", async () => {
  const flock = await untyped();
  const reasons: [string, unknown, RegExp][] = [
    ["publish", { corelationId: "a" }, /`corelationId` is unknown\. Use tags, correlationId/],
    ["publish", null, /they are `null`\. Pass an object/],
    ["publish", { correlationId: 5 }, /`correlationId` is `5`\. Pass a string/],
    ["publish", { idempotencyKey: 5 }, /`idempotencyKey` is `5`\. Pass a string/],
    ["publish", { tags: "a" }, /tags.*a string\. Pass a list of strings/],
    ["publish", { tags: [5] }, /tag .*it is a number\. Pass a string/],
    ["invoke", { tags: ["a"] }, /`tags` is unknown\. Use correlationId, visibility/],
  ];
  for (const [method, options, reason] of reasons) {
    const call = method === "publish" ? flock.publish(idea, options) : flock.invoke("cook", [idea], options);
    await expect(call).rejects.toThrow(reason);
  }
});

it("names what is no artifact type where it is registered or read", async () => {
  const flock = await untyped();
  for (const register of [undefined, "Pizza", [Pizza], idea]) {
    expect(() => flock.register(register)).toThrow(/Invalid types for `register`/);
  }
  await expect(flock.store.getByType("Pizza")).rejects.toThrow(/Invalid types for `getByType`/);
});

it("names a time that is none", () => {
  for (const time of ["tomorrow", new Date("tomorrow"), undefined]) {
    expect(() => visibility.after(time as Date)).toThrow(/Invalid time for `visibility\.after`: `.+`\. Pass a `Date`/);
  }
});

it("does not serve a flock that has shut down", async () => {
  const flock = await untyped();
  await flock.shutdown();
  await expect(flock.serve({ port: 0 })).rejects.toMatchObject({ code: "shutting_down" });
});
