import { closeSync, fdatasync, openSync, readSync } from "node:fs";
import { promisify } from "node:util";

const flushFile = promisify(fdatasync);

/** The version of the wal-index that {@link WalFile.sizes} can read (sqlite.org/walformat.html, "iVersion"). */
const INDEX_VERSION = 3_007_000;
/** Byte offsets in the wal-index: its version, the frames in the log, the frames that a checkpoint has copied. */
const OFFSETS = { version: 0, frames: 16, copied: 96 } as const;

/** How many frames (changed pages) the write-ahead log holds. */
export interface WalSizes {
  /** Since the log was last started from its beginning. */
  readonly frames: number;
  /** Of these, the frames that are not in the database file yet. */
  readonly pending: number;
}

/**
 * The write-ahead log of an open database, next to SQLite's own handles. SQLite keeps both files in place while a
 * connection is open, and checkpoints truncate them without replacing them, so the descriptors stay valid.
 *
 * Close it after the last connection of this process: closing any descriptor of the wal-index releases the POSIX locks
 * that SQLite holds on it.
 */
export class WalFile {
  readonly #log: number;
  readonly #index: number;
  readonly #header = Buffer.alloc(OFFSETS.copied + 4);

  /** @param path of the database. It must be open, in WAL mode, with its first write done. */
  constructor(path: string) {
    this.#log = openSync(`${path}-wal`, "r+");
    try {
      this.#index = openSync(`${path}-shm`, "r");
    } catch (error) {
      closeSync(this.#log);
      throw error;
    }
  }

  /** Flushes the log to disk, without blocking the event loop. All that was committed before is then durable. */
  flush(): Promise<void> {
    return flushFile(this.#log);
  }

  /** Reads the sizes from the wal-index: SQLite reports them only to the connection that runs a checkpoint. */
  sizes(): WalSizes {
    readSync(this.#index, this.#header, 0, this.#header.length, 0);
    // The wal-index has the byte order of the machine.
    const read = (offset: number) => new Uint32Array(this.#header.buffer, this.#header.byteOffset + offset, 1)[0] ?? 0;
    if (read(OFFSETS.version) !== INDEX_VERSION) return UNKNOWN_SIZES;
    const frames = read(OFFSETS.frames);
    return { frames, pending: Math.max(0, frames - read(OFFSETS.copied)) };
  }

  close(): void {
    closeSync(this.#log);
    closeSync(this.#index);
  }
}

/** For a wal-index of another version: large enough that checkpoints run, too small to force a restart of the log. */
const UNKNOWN_SIZES: WalSizes = { frames: 0, pending: Number.MAX_SAFE_INTEGER };
