import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { strength } from "../../tests/support/strength.ts";
import { SUITES } from "./index.ts";
import { run, type Suite } from "./suite.ts";

/** The peers that only `npm run bench` installs, by the names that their rows begin with. */
const OPTIONAL_PEERS = ["langgraph", "mastra", "socket.io"];
const arePeersInstalled = existsSync(new URL("../peers/node_modules", import.meta.url));

/** Returns the suite without the rows that cannot be measured here. */
function withInstalledPeers(suite: Suite): Suite {
  if (arePeersInstalled) return suite;
  const workloads = suite.workloads.map((workload) => ({
    ...workload,
    rows: (size: Parameters<typeof workload.rows>[0]) =>
      Object.fromEntries(
        Object.entries(workload.rows(size)).filter(([row]) => !OPTIONAL_PEERS.some((peer) => row.startsWith(peer))),
      ),
  }));
  return { ...suite, workloads };
}

// A suite fails when a server loses, duplicates or reorders events. Speed is not checked here.
// One workload of each: the others only differ in numbers. The short form runs one suite for clients and one for agents.
const RUN = SUITES.filter(({ name }) => strength({ short: ["fanout", "agents"].includes(name), soak: true }));

describe("every suite delivers each event once and in order", () => {
  it.for(RUN)("$name", { timeout: 120_000 }, async (suite) => {
    const { workloads } = await run(withInstalledPeers(suite), "tiny", suite.workloads[0]?.name);
    expect(workloads).toHaveLength(1);
    for (const { rows, columns } of workloads) {
      expect(rows.length).toBeGreaterThan(0);
      for (const { key } of columns) {
        const found = rows.flatMap(({ figures }) => figures[key]?.median ?? []);
        expect(found, key).not.toEqual([]);
        expect(found.every(Number.isFinite), key).toBe(true);
      }
    }
  });
});

describe("every comparison refers to existing figures", () => {
  it.for(SUITES.flatMap(({ name, workloads }) => workloads.map((workload) => ({ name, workload }))))(
    "$name, $workload.name",
    ({ workload: { rows, columns, comparisons } }) => {
      const measured = Object.keys(rows("full"));
      for (const { of, to = of } of comparisons) {
        for (const [row, figure] of [of, to]) {
          expect(measured).toContain(row);
          expect(columns).toContain(figure);
        }
      }
    },
  );
});
