import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";

const program = fileURLToPath(new URL("programs/holder.ts", import.meta.url));
const Note = artifact("Note", z.object({ text: z.string() }));

/** Creates a blackboard with some notes and closes it. */
async function written(file: string, notes = 3): Promise<void> {
  await using flock = await Flock.open({ store: sqliteStore(file) });
  for (let n = 0; n < notes; n++) await flock.publish(Note({ text: `note ${n} `.padEnd(20_000, "x") }));
}

/** Returns the content of a folder: names, permissions, bytes. */
function picture(folder: string): unknown[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      return [name, statSync(path).mode, statSync(path).isFile() && readFileSync(path).toString("latin1")];
    });
}

describe("read-only file: is left unchanged, and the error explains what to do", () => {
  const cases: [string, (folder: string, file: string) => void][] = [
    [
      "the file and its folder",
      (folder, file) => {
        chmodSync(file, 0o444);
        chmodSync(`${file}-lock`, 0o444);
        chmodSync(folder, 0o555);
      },
    ],
    [
      "the file alone",
      (folder, file) => {
        chmodSync(file, 0o444);
        chmodSync(`${file}-lock`, 0o666);
        chmodSync(folder, 0o777);
      },
    ],
    [
      "the folder alone",
      (folder, file) => {
        chmodSync(file, 0o666);
        chmodSync(`${file}-lock`, 0o666);
        chmodSync(folder, 0o555);
      },
    ],
    [
      "the lock next to it",
      (folder, file) => {
        chmodSync(file, 0o666);
        chmodSync(`${file}-lock`, 0o444);
        chmodSync(folder, 0o777);
      },
    ],
  ];

  it.for(cases)("%s", async ([, forbid]) => {
    await using outer = await temporaryFolder();
    chmodSync(outer.path, 0o755);
    const folder = join(outer.path, "data");
    const file = join(folder, "flock.db");
    await written(file);
    forbid(folder, file);
    const before = picture(folder);
    await using child = new RunningProgram(["node", program, file, "unprivileged"]);
    expect(await child.line(/./)).toMatch(
      /^store_unusable: .*flock\.db` (is read-only.*\. Let this user write the file and its folder|cannot be opened\. Use a file in a folder that this user may write)\./,
    );
    expect(await child.exit()).toBe(0);
    expect(picture(folder)).toEqual(before);
    // Allows the cleanup, also without root permissions.
    chmodSync(folder, 0o755);
  });

  it("a missing file is not created", async () => {
    await using outer = await temporaryFolder();
    chmodSync(outer.path, 0o755);
    const folder = join(outer.path, "data");
    mkdirSync(folder, { mode: 0o555 });
    for (const file of [join(folder, "flock.db"), join(folder, "deeper", "flock.db")]) {
      await using child = new RunningProgram(["node", program, file, "unprivileged"]);
      expect(await child.line(/./)).toMatch(/^store_unusable: .*(that this user may write|Let this user write)/);
    }
    expect(readdirSync(folder)).toEqual([]);
    chmodSync(folder, 0o755);
  });
});

describe("file in use by another process", () => {
  it("is refused, and available as soon as that process has ended, in any way", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    await written(file);
    await using holder = new RunningProgram(["node", program, file]);
    await holder.line(/^holds it/);
    await using second = new RunningProgram(["node", program, file]);
    expect(await second.line(/./)).toMatch(/^store_unusable: .*another process uses it.*End that process/);
    holder.signal("SIGKILL");
    await holder.exit();
    await using flock = await Flock.open({ store: sqliteStore(file) });
    flock.register(Note);
    expect(await flock.store.getByType(Note)).toHaveLength(3);
  });
});

/** Damages one note in the file: in the event and in the artifact, one page each that contains nothing else. */
function damage(file: string, note: string): void {
  const bytes = readFileSync(file);
  const filling = Buffer.alloc(4_000, "x");
  for (let at = bytes.indexOf(note); at >= 0; at = bytes.indexOf(note, at + 1)) {
    let page = at - (at % 4_096) + 4_096;
    while (!bytes.subarray(page, page + 4_096).includes(filling)) page += 4_096;
    bytes.fill(0xff, page, page + 4_096);
  }
  writeFileSync(file, bytes);
}

describe("flock on a file that is damaged in the middle", () => {
  it("does not start if it needs the damaged part, explains what to do, and releases the file", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    await written(file);
    damage(file, "note 1 ");
    const db = new DatabaseSync(file);
    db.exec("DELETE FROM snapshot");
    db.close();
    const start = () => Flock.open({ store: sqliteStore(file) });
    await expect(start()).rejects.toThrow(/is damaged\. Restore a backup/);
    await expect(start(), "not: in use").rejects.toThrow(/is damaged/);
  });

  it("rejects reads of the damaged part and continues otherwise", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    await written(file, 40);
    damage(file, "note 20 ");
    const flock = await Flock.open({ store: sqliteStore(file) });
    await using server = await startServer({ flock });
    await using live = await server.connect();
    await using reader = await RecordingSocket.open(server.ws("/plugin/ws?since=0"));
    expect(await reader.closed).toMatchObject({ code: 1011 });
    await using newest = await RecordingSocket.open(server.ws("/plugin/ws?since=-5"));
    await flock.publish(Note({ text: "goes on" }));
    await live.next("artifact_published");
    await newest.next("artifact_published", ({ payload }) => (payload as { text: string }).text === "goes on");
  });
});
