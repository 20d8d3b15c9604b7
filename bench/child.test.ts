import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { LoadCalls } from "./calls.ts";
import { start } from "./child.ts";

describe("calling a process that ends", () => {
  it("resolves or rejects every call, and does not end the caller", async () => {
    const child = start<LoadCalls>("load/main.ts");
    await child.ask("join", { crowd: "empty", peer: "flock", port: 1, clients: 0, first: 0, compression: false });
    const outcomes: Promise<string>[] = [];
    const ask = () =>
      outcomes.push(
        child.ask("begin", "empty").then(
          () => "answered",
          (error: Error) => error.message,
        ),
      );
    let gone = false;
    const end = child.end().then(() => {
      gone = true;
    });
    while (!gone) {
      ask();
      await turn();
    }
    await end;
    ask();
    for (const outcome of await Promise.all(outcomes))
      expect(outcome).toMatch(/^answered$|^load\/main\.ts ended|^failed to call load\/main\.ts: /);
    expect(await outcomes.at(-1)).toMatch(/^load\/main\.ts ended/);
  });
});
