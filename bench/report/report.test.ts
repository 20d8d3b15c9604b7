import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SUITES } from "../suites/index.ts";
import { run, type Workload } from "../suites/suite.ts";
import { chartOf } from "./chart.ts";
import { resultsOf, withResults } from "./markdown.ts";
import { documents } from "./results.ts";
import { median, spreadOf } from "./statistics.ts";
import { workloadText } from "./text.ts";

let rounds = 0;
const workload: Workload = {
  name: "race",
  title: () => "one lap",
  rounds: 3,
  columns: [{ key: "laps", title: "laps/s", digits: 0 }],
  comparisons: [
    {
      what: "laps, flock to ws",
      of: (round) => (round.flock?.laps ?? 0) / (round.ws?.laps ?? 1),
      target: { atLeast: 5 },
      chart: { label: "race", peer: "ws" },
    },
  ],
  round: async () => {
    rounds += 1;
    return { flock: { laps: rounds * 100 }, ws: { laps: 100 }, "socket.io": { laps: null } };
  },
};

describe("what is published of the results", () => {
  it("is what `npm run bench -- report` writes", () => {
    for (const [file, text] of documents(SUITES.map(({ name }) => name))) {
      expect(readFileSync(file, "utf8"), `${file}: run npm run bench -- report`).toBe(text);
    }
  });
});

describe("a report", () => {
  it("tells medians and spread of the rounds, ratios within a round, and which targets are reached", async () => {
    rounds = 0;
    const report = await run(
      { name: "laps", about: "Who is fast?", minutes: { full: 1, quick: 1 }, workloads: [workload] },
      "full",
    );
    const [race] = report.workloads;
    expect(race?.rows[0]?.figures.laps).toEqual({ median: 200, least: 100, most: 300 });
    expect(race?.ratios[0]).toMatchObject({ ratio: { median: 2, least: 1, most: 3 }, reached: false });
    expect(race && workloadText(race)).toContain("200 (100 to 300)");
    expect(race && workloadText(race)).toContain("2 (1 to 3); to reach: at least 5, NOT REACHED");
    const results = resultsOf([report]);
    expect(results).toMatch(/\| flock +\| 200 \(100 to 300\) \|/);
    expect(results).toMatch(/\| socket.io +\| +– \|/);
    expect(chartOf([report])).toContain("2 ×");
    const before = withResults(readFileSync(new URL("../README.md", import.meta.url), "utf8"), "old\n");
    expect(withResults(before, results)).toContain(results);
    expect(() => withResults("# No marks", results)).toThrow(/no <!-- Results/);
  });

  it("knows medians", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
  });
});

describe("a suite", () => {
  it("says what it has when it is asked for what it has not", async () => {
    const [suite] = SUITES;
    await expect(suite && run(suite, "tiny", "nonsense")).rejects.toThrow(/there are burst, paced, single/);
  });
});
