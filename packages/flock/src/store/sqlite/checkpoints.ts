import { Worker } from "node:worker_threads";
import type { WalFile } from "./wal.ts";

/**
 * A checkpoint copies the log to the database file once so many pages (16 MiB) wait for it. Pages that every commit
 * changes are then copied a quarter as often as with SQLite's default of 1,000.
 */
const CHECKPOINT_PAGES = 4_000;
/**
 * A log of so many pages is restarted from its beginning. A checkpoint next to a busy writer never catches up with it,
 * and the log would grow without end. To restart it, the checkpoint holds the write lock for the few pages that are left.
 */
const RESTART_PAGES = 2 * CHECKPOINT_PAGES;
/** Reading the size of the log costs some microseconds, so only every so many commits do it. */
const COMMITS_PER_LOOK = 16;
/** How long a restart waits for readers of the log, in ms. Commits wait for it meanwhile, so it is short. */
const READERS_WAIT_MS = 100;

/**
 * The thread's program. It is text, and needs no separate file, so that it works the same from sources, from the
 * build and from a bundle. `FULL`: the log is on disk before the database file changes, and the database file before the
 * log is overwritten.
 */
const THREAD = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { DatabaseSync } = require("node:sqlite");
  const db = new DatabaseSync(workerData.path);
  db.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = ${READERS_WAIT_MS}");
  parentPort.on("message", (mode) => {
    if (mode === "CLOSE") {
      db.close();
      parentPort.close();
      return;
    }
    try {
      db.exec("PRAGMA wal_checkpoint(PASSIVE)");
      if (mode === "RESTART") db.exec("PRAGMA wal_checkpoint(RESTART)");
    } catch {
      // A full disk or a lock: the log keeps what is not copied, and the next checkpoint tries again.
    }
    parentPort.postMessage("done");
  });
`;

/** Runs checkpoints in a separate thread, so that the event loop never waits for them. */
export class Checkpoints {
  readonly #path: string;
  readonly #wal: WalFile;
  #thread: Worker | undefined;
  #isRunning = false;
  #commits = 0;

  constructor(path: string, wal: WalFile) {
    this.#path = path;
    this.#wal = wal;
  }

  /** Starts a checkpoint if the log has grown large enough. Call it after each commit. */
  committed(): void {
    this.#commits += 1;
    if (this.#commits % COMMITS_PER_LOOK !== 0 || this.#isRunning) return;
    const { frames, pending } = this.#wal.sizes();
    if (pending < CHECKPOINT_PAGES && frames < RESTART_PAGES) return;
    this.#isRunning = true;
    this.#thread ??= this.#start();
    this.#thread.postMessage(frames < RESTART_PAGES ? "PASSIVE" : "RESTART");
  }

  /** Ends the thread and closes its connection. Returns a promise only when there is a thread. */
  close(): Promise<void> | undefined {
    const thread = this.#thread;
    if (!thread) return undefined;
    this.#isRunning = true;
    this.#thread = undefined;
    // The process waits for the thread now: the database must be closed properly.
    thread.ref();
    return new Promise((resolve) => {
      thread.once("exit", () => resolve());
      thread.postMessage("CLOSE");
    });
  }

  #start(): Worker {
    const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData: { path: this.#path } });
    const done = () => {
      this.#isRunning = false;
    };
    thread.on("message", done);
    // Without a thread the log only grows. The next look starts another one.
    thread.on("error", () => {
      if (this.#thread === thread) this.#thread = undefined;
      done();
    });
    thread.unref();
    return thread;
  }
}
