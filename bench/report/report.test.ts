import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SUITES } from "../suites/index.ts";
import { flockTo, run, workload } from "../suites/suite.ts";
import { chartOf } from "./chart.ts";
import { resultsOf, withResults } from "./markdown.ts";
import { documents } from "./results.ts";
import { median, spreadOf } from "./statistics.ts";
import { workloadText } from "./text.ts";

let laps = 0;
const race = workload({
  name: "race",
  loads: { full: 100, quick: 10, tiny: 1 },
  title: () => "one lap",
  columns: ["perSecond"],
  comparisons: [flockTo("ws", "laps", "perSecond", { target: { atLeast: 5 }, chart: "race" })],
  rows: (times) => ({
    flock: async () => ({ perSecond: ++laps * times }),
    ws: async () => ({ perSecond: 100 }),
    "socket.io": async () => ({ perSecond: null }),
  }),
});

describe("published results", () => {
  it("equal the output of `npm run bench -- report`", () => {
    for (const [file, text] of documents(SUITES.map(({ name }) => name))) {
      expect(readFileSync(file, "utf8"), `${file}: run npm run bench -- report`).toBe(text);
    }
  });
});

describe("report", () => {
  it("contains medians and spread of the rounds, ratios within a round, and reached targets", async () => {
    laps = 0;
    const report = await run(
      { name: "laps", about: "Who is fast?", minutes: { full: 1, quick: 1 }, workloads: [race] },
      "full",
    );
    const [found] = report.workloads;
    expect(found?.rows[0]?.figures.perSecond).toEqual({ median: 200, least: 100, most: 300 });
    expect(found?.ratios[0]).toMatchObject({ ratio: { median: 2, least: 1, most: 3 }, reached: false });
    expect(found && workloadText(found)).toContain("200 (100 to 300)");
    expect(found && workloadText(found)).toContain("2 (1 to 3); target: at least 5, MISSED");
    const results = resultsOf([report]);
    expect(results).toMatch(/\| flock +\| 200 \(100 to 300\) \|/);
    expect(results).toMatch(/\| socket.io +\| +– \|/);
    expect(chartOf([report])).toContain("2 ×");
    const before = withResults(readFileSync(new URL("../README.md", import.meta.url), "utf8"), "old\n");
    expect(withResults(before, results)).toContain(results);
    expect(() => withResults("# No marks", results)).toThrow(/no <!-- Results/);
  });

  it("computes medians", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
  });
});

describe("suite", () => {
  it("lists its workloads for an unknown name", async () => {
    const [suite] = SUITES;
    await expect(suite && run(suite, "tiny", "nonsense")).rejects.toThrow(/Use burst, paced, single/);
  });
});
