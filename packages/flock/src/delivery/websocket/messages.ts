import {
  type Command,
  type CommandId,
  type CommandType,
  cancelRequestSchema,
  commandIdSchema,
  commandSchemas,
  describeIssues,
  ERROR_STATUS,
  type ErrorBody,
  parseUntrustedJson,
  validate,
} from "@flock-ts/protocol";
import { FlockError } from "../../core/errors.ts";

/** A message that is not as the contract wants it. */
export interface Refusal {
  readonly error: ErrorBody;
  /** Of the command, when it could be read that far; it is then answered by a `reply`, otherwise by an `error`. */
  readonly id?: CommandId | undefined;
}

/** What a client's message turns out to be: a command, a refusal, or nothing that concerns us. */
export type Reading = { readonly command: Command } | { readonly refusal: Refusal } | undefined;

const TYPES = Object.keys(commandSchemas) as CommandType[];

/** Reads a client's message. Whatever it holds, this does not throw. */
export function readMessage(data: Buffer, isBinary: boolean): Reading {
  if (isBinary) return refuse("binary frames have no meaning here: send JSON in text frames");
  let message: unknown;
  try {
    message = parseUntrustedJson(data.toString("utf8"));
  } catch (error) {
    const { message: reason } = error as Error;
    return refuse(`cannot parse the message: ${error instanceof SyntaxError ? `not JSON: ${reason}` : reason}`);
  }
  // Whoever talks to the seed's server may send anything, such as its own `pong`.
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  const { type, id } = message as { type: unknown; id?: unknown };
  if (!isCommandType(type)) {
    if (id === undefined) return undefined;
    return refuse(`there is no command ${nameOf(type)}: there are ${TYPES.join(", ")}`, idOf(id));
  }
  const { issues: found, ...checked } = validate(commandSchemas[type], message);
  const issues = found ?? (type === "cancel" ? validate(cancelRequestSchema, message).issues : undefined);
  if (!issues) return { command: checked.data as Command };
  return {
    refusal: { id: idOf(id ?? null), error: { code: "invalid_message", message: describeIssues(issues), issues } },
  };
}

/** An error of a command as its reply tells it; undefined when it is none of the client's business. */
export function errorBodyOf(error: unknown): ErrorBody | undefined {
  if (!(error instanceof FlockError) || !(error.code in ERROR_STATUS)) return undefined;
  const { code, message, issues } = error;
  return { code, message, ...(issues.length > 0 ? { issues: [...issues] } : {}) };
}

function isCommandType(type: unknown): type is CommandType {
  return typeof type === "string" && Object.hasOwn(commandSchemas, type);
}

function refuse(message: string, id?: CommandId): Reading {
  return { refusal: { error: { code: "invalid_message", message }, id } };
}

/** Returns the id that a reply can repeat; undefined when the client's is none. */
function idOf(id: unknown): CommandId | undefined {
  return commandIdSchema.safeParse(id).data;
}

function nameOf(type: unknown): string {
  if (typeof type !== "string") return `of type ${type === null ? "null" : typeof type}`;
  return JSON.stringify(type.length <= 60 ? type : `${type.slice(0, 60)}…`);
}
