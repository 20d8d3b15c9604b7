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
  return new FlockError("store_failed", `nothing was written: ${explain(error, path)}`, { cause: error });
}

/** Builds the error for a flush that failed: what was committed since the last one may be on disk or not. */
export function flushError(error: unknown, path: string): FlockError {
  return new FlockError(
    "lease_lost",
    `${path} could not be flushed to disk: ${(error as Error).message}. Check the disk, then restart: this process writes nothing more.`,
    { cause: error },
  );
}

/** Builds the error for a file that another process has written to. */
export function takenError(path: string): FlockError {
  return new FlockError(
    "lease_lost",
    `${path} was written to by another process. End that process, then restart: this process writes nothing more.`,
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
      return `${path} is locked by another program, such as a backup that holds it: end that, and try again`;
    case READ_ONLY:
      return `${path} is read-only: let this user write the file and its folder`;
    case IO_ERROR:
      return `the disk under ${path} does not work: ${message}`;
    case CORRUPT:
      return `${path} is damaged: put a backup in its place, or save what "sqlite3 ${path} .recover" finds`;
    case FULL:
      return `the disk under ${path} is full, or the file's limit is reached: make room; what was there is safe`;
    case CANNOT_OPEN:
      return `${path} cannot be opened: it must be a file in a folder that this user may write`;
    case NOT_A_DATABASE:
      return `${path} is not a SQLite database: give the blackboard a separate file`;
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `${path} is read-only for this user: let this user read and write the file and its folder`;
  }
  return `${path} cannot be used: ${message}`;
}

/** Returns SQLite's result code, or undefined for an error from elsewhere. */
export function errorCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  // The low byte is the kind of error; the rest says where it came up.
  return errcode === undefined ? undefined : errcode & 0xff;
}
