import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";

const program = fileURLToPath(new URL("programs/deadly.ts", import.meta.url));

/** Two orders of six end the process, each three times; once the work of an earlier process is not yet marked as begun. */
const MAX_CRASHES = 2 * 3 + 1;

/** Does what a supervisor does. Resolves to what the programs have printed, the last one by itself. */
async function superviseUntilDone(file: string, how: string) {
  const printed: string[][] = [];
  for (let start = 0; start <= MAX_CRASHES; start++) {
    await using one = new RunningProgram(["node", program, file, how, ...(start === 0 ? ["begin"] : [])]);
    const code = await one.exit();
    printed.push(one.lines);
    if (code === 0) return { printed, last: one.lines };
  }
  throw new Error(`it still crashes:\n${printed.map((lines) => lines.join("\n")).join("\n\n")}`);
}

const SET_ASIDE =
  "dead letter: error after 3: CrashLimitError: Failed to run `baker`: the process ended during this work 3 times. " +
  "Fix what ends the process, then retry the dead letter, or discard it.";

describe("input that ends the process", () => {
  it.each(["at once", "during other work"])(
    "becomes a dead letter after three crashes, and no other work does (%s)",
    async (how) => {
      await using folder = await temporaryFolder();
      const file = join(folder.path, "flock.db");
      const { last } = await superviseUntilDone(file, how);
      const deaths = last.filter((line) => line.startsWith("dead letter"));
      expect(deaths.map((line) => line.replace(/after \d+/, "after 3"))).toEqual([SET_ASIDE, SET_ASIDE]);
      expect(last).toContain("cakes 2,3,5,6");
    },
    60_000,
  );

  it("starts behind other work after a crash, and can be retried or discarded in the end", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    const { printed } = await superviseUntilDone(file, "in line");
    expect(printed[0]).toEqual(["order 1, attempt 1"]);
    expect(printed[1]).toEqual(["order 2, attempt 1", "order 3, attempt 1", "order 4, attempt 1"]);
    expect(printed[2]?.slice(0, 2)).toEqual(["order 5, attempt 1", "order 6, attempt 1"]);

    await using fixed = new RunningProgram(["node", program, file, "harmless"]);
    await fixed.line(/^retried: success/);
    await fixed.line(/^left 0/);
    await using after = new RunningProgram(["node", program, file, "harmless"]);
    await after.line(/^cakes (1,2,3,5,6|2,3,4,5,6)$/);
  }, 60_000);
});
