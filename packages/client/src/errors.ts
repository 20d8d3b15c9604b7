import type { ErrorBody, Issue } from "@flock-ts/protocol";

/** Why a command or a connection failed; the server's own codes beside these. */
export type ClientErrorCode = "closed" | "connection_lost" | "timeout" | (string & {});

/** Every error of this package. `message` is for people, `code` for programs. */
export class FlockClientError extends Error {
  override readonly name = "FlockClientError";
  readonly code: ClientErrorCode;
  /** The invalid fields, when the server names some. */
  readonly issues: readonly Issue[];

  constructor({ code, message, issues = [] }: Omit<ErrorBody, "code"> & { code: ClientErrorCode }) {
    super(message);
    this.code = code;
    this.issues = issues;
  }
}
