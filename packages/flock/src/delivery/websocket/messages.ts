import {
  type Command,
  type CommandId,
  type CommandType,
  commandIdSchema,
  commandSchemas,
  describeIssues,
  ERROR_STATUS,
  type ErrorBody,
  parseUntrustedJson,
  validate,
} from "@flock-ts/protocol";
import { FlockError } from "../../core/errors.ts";

/** Why a message is refused. */
export interface Refusal {
  readonly error: ErrorBody;
  /** The id of the command. If it is known, a `reply` reports the refusal, otherwise an `error`. */
  readonly id?: CommandId | undefined;
}

/** The result of reading a message: a command, a refusal, or undefined for a message to ignore. */
export type Reading = { readonly command: Command } | { readonly refusal: Refusal } | undefined;

const TYPES = Object.keys(commandSchemas) as CommandType[];

/** Reads a message of a client. Never throws. */
export function readMessage(data: Buffer, isBinary: boolean): Reading {
  if (isBinary) return refuse("Invalid message: binary frames are not supported. Send JSON in text frames.");
  let message: unknown;
  try {
    message = parseUntrustedJson(data.toString("utf8"));
  } catch (error) {
    const { message: reason } = error as Error;
    return refuse(`Cannot parse the message: ${error instanceof SyntaxError ? `not JSON: ${reason}` : reason}`);
  }
  // The original specification lets clients send anything, such as their own `pong`.
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  const { type, id } = message as { type: unknown; id?: unknown };
  if (!isCommandType(type)) {
    if (id === undefined) return undefined;
    return refuse(`Unknown command ${nameOf(type)}. Commands: ${TYPES.join(", ")}.`, idOf(id));
  }
  const { issues, data: command } = validate(commandSchemas[type], message);
  if (!issues) return { command: command as Command };
  return {
    refusal: { id: idOf(id ?? null), error: { code: "invalid_message", message: describeIssues(issues), issues } },
  };
}

/** Returns an error for the reply to a command; undefined when its details must stay in the server. */
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

/** Returns the id of a command; undefined when it is invalid. */
function idOf(id: unknown): CommandId | undefined {
  return commandIdSchema.safeParse(id).data;
}

function nameOf(type: unknown): string {
  if (typeof type !== "string") return `of type ${type === null ? "null" : typeof type}`;
  return JSON.stringify(type.length <= 60 ? type : `${type.slice(0, 60)}…`);
}
