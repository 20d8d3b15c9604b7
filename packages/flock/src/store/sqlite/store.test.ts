import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";
import { describeStore } from "../contract.ts";
import { sqliteStore } from "./store.ts";

const folder = mkdtempSync(join(tmpdir(), "flock-sqlite-"));
const path = join(folder, "deep", "flock.db");
const open: Flock[] = [];

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Plan = artifact("Plan", z.object({ text: z.string() }));
const Check = artifact("Check", z.object({ ok: z.boolean() }));

async function flockOnFile(options: Parameters<typeof sqliteStore>[1] = {}): Promise<Flock> {
  const flock = await Flock.open({ store: sqliteStore(path, options) });
  flock.register(Idea, Plan, Check);
  open.push(flock);
  return flock;
}

afterEach(async () => {
  for (const flock of open.splice(0)) await flock.shutdown();
  rmSync(join(folder, "deep"), { recursive: true, force: true });
});

describeStore("SQLite", sqliteStore, { isDurable: true });

describe("a blackboard in a file", () => {
  it("goes on with a file of the first version: with its runs, and with what its gates had gathered", async () => {
    const declare = (flock: Flock, seen: string[]) => {
      flock
        .agent("editor")
        .consumes(Plan)
        .consumes(Idea, Check)
        .run(async ({ Idea: idea, Plan: plan }, { signal }) => {
          if (seen.length === 0) await new Promise((_, reject) => signal.addEventListener("abort", reject));
          seen.push((idea ?? plan).text);
        });
    };
    const first = await flockOnFile();
    declare(first, []);
    await first.publish([Plan({ text: "interrupted" }), Idea({ text: "waits" })]);
    await first.shutdown();
    const db = new DatabaseSync(path);
    db.exec(`ALTER TABLE activations DROP COLUMN gate; ALTER TABLE gathered DROP COLUMN position;
             ALTER TABLE gathered DROP COLUMN group_number; DROP TABLE gates; DROP TABLE hidden; DROP TABLE schedules;
             ALTER TABLE activations DROP COLUMN visibility; ALTER TABLE consumptions DROP COLUMN visibility;
             DROP INDEX activations_by_failure; ALTER TABLE activations DROP COLUMN failures;
             ALTER TABLE activations DROP COLUMN retry_at; ALTER TABLE activations DROP COLUMN error;
             ALTER TABLE activations DROP COLUMN crashes; ALTER TABLE artifacts DROP COLUMN depth;
             DROP TABLE questions;
             PRAGMA user_version = 1`);
    db.close();

    const second = await flockOnFile();
    const seen = [""];
    declare(second, seen);
    await second.publish(Check({ ok: true }));
    await second.runUntilIdle();
    expect(seen.sort()).toEqual(["", "interrupted", "waits"]);
  });
});

describe("what a file takes and refuses shows in the figures", () => {
  it("its bytes, and the commits that did not fit", async () => {
    const flock = await flockOnFile({ maxFileBytes: 400_000 });
    const { storeBytes = 0 } = flock.stats();
    expect(storeBytes).toBeGreaterThan(0);
    await flock.publish(Idea({ text: "x".repeat(100_000) }));
    expect(flock.stats().storeBytes).toBeGreaterThan(storeBytes);
    expect(flock.stats().failedCommits).toBe(0);
    await expect(flock.publish(Idea({ text: "x".repeat(500_000) }))).rejects.toMatchObject({ code: "store_failed" });
    expect(flock.stats().failedCommits).toBe(1);
    expect(new Flock().stats()).toMatchObject({ storeBytes: undefined, failedCommits: 0 });
  });
});
