import type { ErrorBody, Issue } from "@flock-ts/protocol";

/**
 * Why a command failed. `closed`: the client is closed. `connection_lost`: an `invoke` whose reply was lost. `timeout`: no
 * reply in time. `invalid_message`: JSON cannot express it. `message_too_big`: larger than the server accepts. Any other
 * string is an error code of the server.
 */
export type ClientErrorCode =
  | "closed"
  | "connection_lost"
  | "timeout"
  | "invalid_message"
  | "message_too_big"
  | (string & {});

/** The error of this package. `message` is for people, `code` for programs. */
export class FlockClientError extends Error {
  override readonly name = "FlockClientError";
  readonly code: ClientErrorCode;
  /** The invalid fields that the server named, if any. */
  readonly issues: readonly Issue[];

  constructor({ code, message, issues = [] }: Omit<ErrorBody, "code"> & { code: ClientErrorCode }) {
    super(message);
    this.code = code;
    this.issues = issues;
  }
}
