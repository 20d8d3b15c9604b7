import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@flock-ts/client";
import type { FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { delay } from "../support/delay.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { strength } from "../support/strength.ts";

const program = fileURLToPath(new URL("programs/busy-server.ts", import.meta.url));
const KILLS = strength({ short: 6, soak: 50 });

async function start(file: string, port: string): Promise<{ server: RunningProgram; port: string }> {
  const server = new RunningProgram(["node", program, file, port]);
  const line = await server.line(/^port \d+/);
  return { server, port: line.slice(5) };
}

describe(`busy server that is killed ${KILLS} times at random moments`, () => {
  it("loses nothing acknowledged, duplicates nothing, and sends every client the log as it is", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    let { server, port } = await start(file, "0");
    const url = `ws://127.0.0.1:${port}/plugin/ws`;
    const watchers = [0, 1, 2].map((n) => {
      const events: FlockEvent[] = [];
      const gaps: unknown[] = [];
      const client = connect(url, { since: 0, backoff: { minMs: 10, maxMs: 100 + n * 50 } });
      client.on("event", (event) => void events.push(structuredClone(event)));
      client.on("gap", (gap) => void gaps.push(gap));
      return { client, events, gaps };
    });
    const publisher = connect(url, { backoff: { minMs: 10, maxMs: 100 }, commandTimeoutMs: 300_000 });
    const acknowledged = new Map<number, string>();
    let publishing = true;
    const publishers = [0, 1, 2].map(async (lane) => {
      for (let n = lane; publishing; n += 3) {
        const { artifact_id } = await publisher.publish({ artifact_type: "Order", payload: { n } });
        acknowledged.set(n, artifact_id);
      }
    });
    for (let kill = 0; kill < KILLS; kill++) {
      await delay(Math.random() * 250);
      server.signal("SIGKILL");
      await server.exit();
      await server[Symbol.asyncDispose]();
      ({ server, port } = await start(file, port));
    }
    publishing = false;
    await Promise.all(publishers);
    await using last = server;
    const http = `http://127.0.0.1:${port}`;

    const artifactsOf = async <Payload = { n: number }>(type: string) => {
      const all: { id: string; payload: Payload }[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = `type_names=${type}&limit=500${cursor === "" ? "" : `&cursor=${cursor}`}`;
        const page = (await (await fetch(`${http}/api/v1/plugin/artifacts?${query}`)).json()) as {
          artifacts: typeof all;
          next_cursor: string | null;
        };
        all.push(...page.artifacts);
        cursor = page.next_cursor;
      }
      return all;
    };
    await expect
      .poll(async () => (await artifactsOf("Pizza")).length, { timeout: 30_000 })
      .toBeGreaterThanOrEqual(acknowledged.size);
    const orders = await artifactsOf("Order");
    // Every order exists once, under the id that its publisher received, although publishers retry.
    expect(orders.map(({ payload }) => payload.n).sort((a, b) => a - b)).toEqual(
      [...acknowledged.keys()].sort((a, b) => a - b),
    );
    for (const { id, payload } of orders) expect(acknowledged.get(payload.n)).toBe(id);
    // All work of each order was done: no gate lost what it had collected.
    const pizzas = new Set((await artifactsOf("Pizza")).map(({ payload }) => payload.n));
    expect([...acknowledged.keys()].filter((n) => !pizzas.has(n))).toEqual([]);
    // Each baker published its start once, although runs that a kill interrupted published again.
    const started = (await artifactsOf("Started")).map(({ payload: { n } }) => n).sort((a, b) => a - b);
    expect(started).toEqual([...new Set(started)]);
    expect([...acknowledged.keys()].filter((n) => !started.includes(n))).toEqual([]);
    // Each failure was reported once, and each report had its consequence.
    const failing = [...acknowledged.keys()].filter((n) => n % 5 === 0).length;
    await expect
      .poll(async () => (await artifactsOf("Complaint")).length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(failing);
    const reports = await artifactsOf<{ activation_id: string }>("RunFailed");
    const complaints = await artifactsOf<{ activation: string }>("Complaint");
    const reported = reports.map(({ payload }) => payload.activation_id).sort();
    expect(reported).toEqual([...new Set(reported)]);
    expect(complaints.map(({ payload }) => payload.activation).sort()).toEqual(reported);
    // Every pizza left in exactly one batch, full or not.
    const delivered = async () =>
      (await artifactsOf<{ ns: number[] }>("Delivery")).flatMap(({ payload: { ns } }) => ns).sort((a, b) => a - b);
    const baked = (await artifactsOf("Pizza")).map(({ payload: { n } }) => n).sort((a, b) => a - b);
    await expect.poll(delivered, { timeout: 10_000 }).toEqual(baked);

    // A client that connects now receives the log; all others have received the same.
    const log: FlockEvent[] = [];
    const reader = connect(url, { since: 0 });
    const caughtUp = new Promise<number>((resolve) => reader.on("caught_up", ({ seq }) => resolve(seq)));
    reader.on("event", (event) => void log.push(structuredClone(event)));
    const until = await caughtUp;
    for (const { client, events, gaps } of watchers) {
      await expect.poll(() => client.seq, { timeout: 10_000 }).toBeGreaterThanOrEqual(until);
      expect(gaps).toEqual([]);
      const seqs = events.map(({ seq }) => seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      expect(withoutStreams(events, until)).toEqual(withoutStreams(log, until));
      expect(streams(events, until)).toEqual(streams(log, until));
    }
    const interrupted = log.filter(
      (event) => event.type === "agent_execution_completed" && event.status === "interrupted",
    );
    expect(interrupted.length).toBeGreaterThan(0);
    for (const { client } of [...watchers, { client: publisher }, { client: reader }]) client.close();
    expect(last.exitCode).toBeUndefined();
  }, 400_000);
});

function withoutStreams(events: readonly FlockEvent[], until: number): FlockEvent[] {
  return events.filter(({ seq, type }) => seq <= until && type !== "streaming_output");
}

/** The text of each run, joined in the order of its events. */
function streams(events: readonly FlockEvent[], until: number): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const event of events) {
    if (event.type !== "streaming_output" || event.seq > until) continue;
    const before = texts[event.run_id] ?? "";
    expect(event.offset).toBe(before.length);
    texts[event.run_id] = before + event.content;
  }
  return texts;
}
