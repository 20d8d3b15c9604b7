import { FlockError } from "../../core/errors.ts";
import { isRefusal, refusal } from "../refusal.ts";

/** Builds the error that a caller gets for a file that cannot be opened or read. */
export function readError(error: unknown, path: string): FlockError {
  return error instanceof FlockError ? error : new FlockError("store_unusable", explain(error, path), { cause: error });
}

/** Builds the error that a caller gets for a write that has not happened. */
export function writeError(error: unknown, path: string): FlockError {
  if (error instanceof FlockError) return error;
  if (isRefusal(error)) return refusal(`Nothing was written: ${(error as Error).message}.`, error);
  if (errorCode(error) === CONSTRAINT) return refusal(`Nothing was written: ${(error as Error).message}.`, error);
  return new FlockError("store_failed", `Nothing was written: ${explain(error, path)}`, { cause: error });
}

/** Builds the error for a flush that failed: what was committed since the last one may be on disk or not. */
export function flushError(error: unknown, path: string): FlockError {
  return new FlockError(
    "lease_lost",
    `Cannot flush \`${path}\` to disk: ${(error as Error).message}. Check the disk, then restart: this process writes nothing more.`,
    { cause: error },
  );
}

/** Builds the error for a file that another process has written to. */
export function takenError(path: string): FlockError {
  return new FlockError(
    "lease_lost",
    `Cannot write to \`${path}\`: another process has written to it. End that process, then restart: this process writes nothing more.`,
  );
}

// SQLite's result codes (sqlite.org/rescode.html).
/** Another connection holds a lock. */
export const BUSY = 5;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;

/** Returns what is wrong with a file, and what to do. */
export function explain(error: unknown, path: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (errorCode(error)) {
    case BUSY:
      return `\`${path}\` is locked by another program, such as a backup. End that program, then try again.`;
    case READ_ONLY:
      return `\`${path}\` is read-only. Let this user write the file and its folder.`;
    case IO_ERROR:
      return `\`${path}\` cannot be read or written: ${message}. Check its disk.`;
    case CORRUPT:
      return `\`${path}\` is damaged. Restore a backup, or save what \`sqlite3 ${path} .recover\` finds.`;
    case FULL:
      return `\`${path}\` cannot grow: its disk is full, or the file has reached its limit. Free some space; what was written before is safe.`;
    case CANNOT_OPEN:
      return `\`${path}\` cannot be opened. Use a file in a folder that this user may write.`;
    case NOT_A_DATABASE:
      return `\`${path}\` is not a SQLite database. Use another file.`;
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `\`${path}\` is read-only for this user. Let this user write the file and its folder.`;
  }
  return `\`${path}\` cannot be used: ${message}.`;
}

/** Returns SQLite's result code, or undefined for an error from elsewhere. */
export function errorCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  // The low byte is the kind of error; the rest says where it came up.
  return errcode === undefined ? undefined : errcode & 0xff;
}
