import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { artifact, Flock } from "../../index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";

const Note = artifact("Note", z.object({ text: z.string() }));
const HIGH = "\ud83c";
const OTHER = "\ud83d";

describe("half surrogate pairs", () => {
  it("are kept in payloads and streams, across a restart", async () => {
    await using folder = await temporaryFolder();
    const store = sqliteStore(join(folder.path, "flock.db"));
    const texts = [HIGH, OTHER, `${OTHER} ${HIGH}`, "🍕"];
    const open = async () => {
      const flock = await Flock.open({ store });
      flock
        .agent("echo")
        .consumes(Note)
        .run(async ({ Note: { text } }, { stream }) => stream(text));
      return flock;
    };
    const first = await open();
    for (const text of texts) await first.publish(Note({ text }));
    await first.runUntilIdle();
    await first.shutdown();
    const second = await open();
    const notes = await second.store.getByType(Note);
    expect(notes.map(({ text }) => text)).toEqual(texts);
    await second.shutdown();
  });

  it("are different join keys, across a restart", async () => {
    await using folder = await temporaryFolder();
    const store = sqliteStore(join(folder.path, "flock.db"));
    const Order = artifact("Order", z.object({ id: z.string() }));
    const Payment = artifact("Payment", z.object({ id: z.string() }));
    const joined: string[] = [];
    const open = async () => {
      const flock = await Flock.open({ store });
      flock
        .agent("cashier")
        .consumes(Order, Payment, { join: { by: ({ payload }) => payload.id } })
        .run(async (inputs) => void joined.push(`${inputs.Order.id} ${inputs.Payment.id}`));
      return flock;
    };
    const first = await open();
    await first.publish(Order({ id: HIGH }));
    await first.shutdown();
    const second = await open();
    await second.publish(Payment({ id: OTHER }));
    await second.runUntilIdle();
    expect(joined).toEqual([]);
    await second.publish(Payment({ id: HIGH }));
    await second.runUntilIdle();
    expect(joined).toEqual([`${HIGH} ${HIGH}`]);
    await second.shutdown();
  });

  it.for([
    ["`correlationId`", { correlationId: HIGH }],
    ["tag in `tags`", { tags: [HIGH] }],
    ["idempotency key", { idempotencyKey: HIGH }],
  ] as const)("are refused in a %s, which files and URLs would merge with another", async ([what, options]) => {
    const flock = new Flock();
    await expect(flock.publish(Note({ text: "" }), options as never)).rejects.toMatchObject({
      code: "invalid_request",
      message: `Invalid ${what}: \`"\\ud83c"\` contains half a surrogate pair. Use well-formed Unicode.`,
    });
    expect(await flock.store.getByType(Note)).toEqual([]);
  });

  it("are refused in names", () => {
    expect(() => new Flock().agent(`agent ${HIGH}`)).toThrow(/Invalid name for an agent/);
    expect(() => artifact(HIGH, z.object({}))).toThrow(/Invalid name/);
  });
});
