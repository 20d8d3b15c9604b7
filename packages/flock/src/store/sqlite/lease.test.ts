import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact } from "../../blackboard/artifact-type.ts";
import { Flock } from "../../flock.ts";
import type { Store } from "../store.ts";
import { sqliteStore } from "./store.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flock-lease-"));
  path = join(folder, "flock.db");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Adds an event, as a process would that has the file although this one holds it. */
function writeAsAnotherProcess(): void {
  const db = new DatabaseSync(path);
  db.exec(
    "INSERT INTO events (last_seq, first_seq, newest_at, merged, lines) SELECT max(last_seq) + 1, max(last_seq) + 1, 0, 0, '{}' FROM events",
  );
  db.close();
}

describe("a SQLite file that another process has written events to", () => {
  it("rejects writes as lease_lost, aborts runs and keeps what the other process wrote", async () => {
    const flock = await Flock.open({ store: sqliteStore(path), logger: pino({ level: "silent" }) });
    const begun = Promise.withResolvers<AbortSignal>();
    flock
      .agent("planner")
      .consumes(Idea)
      .run((_, { signal }) => {
        begun.resolve(signal);
        return new Promise(() => {});
      });
    await flock.publish(Idea({ text: "a" }));
    const signal = await begun.promise;
    const { head } = flock.log;
    writeAsAnotherProcess();
    await expect(flock.publish(Idea({ text: "b" }))).rejects.toMatchObject({ code: "lease_lost" });
    expect(signal.aborted).toBe(true);
    await expect(flock.publish(Idea({ text: "c" }))).rejects.toMatchObject({
      code: expect.stringMatching(/lease_lost|shutting_down/),
    });
    await flock.shutdown();
    const db = new DatabaseSync(path, { readOnly: true });
    expect(db.prepare("SELECT max(last_seq) AS last FROM events").get()).toEqual({ last: head + 1 });
    db.close();
  });

  it("goes on when another program has only changed something else", async () => {
    await using flock = await Flock.open({ store: sqliteStore(path) });
    flock.register(Idea);
    await flock.publish(Idea({ text: "a" }));
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE notes (text TEXT)");
    db.close();
    await expect(flock.publish(Idea({ text: "b" }))).resolves.toMatchObject({ triggeredAgents: [] });
  });
});

describe("a store in the options of the constructor", () => {
  it("is refused with what to use instead", () => {
    const options = { store: sqliteStore(path) as Store };
    expect(() => new Flock(options as object)).toThrow(/await Flock\.open/);
  });
});
