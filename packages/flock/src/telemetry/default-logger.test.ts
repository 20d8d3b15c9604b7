import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { textOf } from "./default-logger.ts";

/** Runs a flock whose agent fails, in a separate process, and returns what it has written to stderr. */
function failingScript(env: Record<string, string>): string {
  const index = new URL("../index.ts", import.meta.url);
  const script = `
    import { artifact, Flock } from ${JSON.stringify(index.href)};
    import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
    const Order = artifact("Order", z.string());
    const flock = new Flock();
    flock.agent("printer").consumes(Order).run(() => { throw new TypeError("out of paper", { cause: new Error("x") }); });
    await flock.publish(Order("a"));
    await flock.runUntilIdle();
    await flock.shutdown();`;
  const { NODE_ENV: _, FLOCK_LOG_LEVEL: __, ...inherited } = process.env;
  const { stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...inherited, ...env },
    encoding: "utf8",
  });
  expect(status).toBe(0);
  return stderr;
}

describe("the default logger", () => {
  it("writes one short, readable line for a run that failed", () => {
    const lines = failingScript({}).trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^WARN flock: a run failed: TypeError: out of paper.* \{agent=printer, run_id=\S+\}$/);
    expect(lines[0]!.length).toBeLessThan(200);
  });

  it.each([{ NODE_ENV: "production" }, { FLOCK_LOG_FORMAT: "json" }])("writes JSON lines with %o", (env) => {
    expect(JSON.parse(failingScript(env))).toMatchObject({
      msg: "a run failed",
      agent: "printer",
      err: { type: "TypeError" },
    });
  });
});

describe("a short line", () => {
  const line = (fields: object) =>
    textOf(JSON.stringify({ level: 50, time: 1, pid: 2, msg: "it broke", ...fields }), "/app");

  it("names the place of an error in the application, relative to its folder", () => {
    const stack = [
      "Error: no oven",
      "    at baked (file:///app/node_modules/oven/index.js:1:1)",
      "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
      "    at async bake (file:///app/src/chef.ts:12:9)",
    ].join("\n");
    expect(line({ err: { type: "Error", message: "no oven", stack } })).toBe(
      "ERROR flock: it broke: Error: no oven (src/chef.ts:12:9)",
    );
  });

  it("keeps long and multi-line texts short", () => {
    const text = line({ err: { type: "ZodError", message: `a\n${"b".repeat(1_000)}` }, agent: "chef" });
    expect(text).toMatch(/^ERROR flock: it broke: ZodError: a b+… \{agent=chef\}$/);
    expect(text.length).toBeLessThan(400);
  });

  it("writes other fields behind the message", () => {
    expect(line({ artifacts: 2, reasons: ["no_gate"] })).toBe(
      'ERROR flock: it broke {artifacts=2, reasons=["no_gate"]}',
    );
  });
});
