import {
  type Command,
  type CommandType,
  cancelRequestSchema,
  commandSchemas,
  describeIssues,
  ERROR_STATUS,
  type ErrorBody,
  issuesOf,
} from "@flock-ts/protocol";
import { FlockError } from "../../core/errors.ts";

/** A message that is not as the contract wants it. */
export interface Refusal {
  readonly error: ErrorBody;
  /** Of the command, when it could be read that far; it is then answered by a `reply`, otherwise by an `error`. */
  readonly id?: unknown;
}

/** What a client's message turns out to be: a command, a refusal, or nothing that concerns us. */
export type Reading = { readonly command: Command } | { readonly refusal: Refusal } | undefined;

const TYPES = Object.keys(commandSchemas) as CommandType[];

/** Reads a client's message. Whatever it holds, this does not throw. */
export function readMessage(data: Buffer, isBinary: boolean): Reading {
  if (isBinary) return refuse("binary frames have no meaning here: send JSON in text frames");
  let message: unknown;
  try {
    message = JSON.parse(data.toString("utf8"));
  } catch (error) {
    return refuse(`this is not JSON: ${(error as Error).message}`);
  }
  // Whoever talks to the seed's server may send anything, such as its own `pong`.
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  const { type, id } = message as { type: unknown; id?: unknown };
  if (!isCommandType(type)) {
    if (id === undefined) return undefined;
    return refuse(`there is no command ${shorten(JSON.stringify(type))}: there are ${TYPES.join(", ")}`, id);
  }
  const parsed = commandSchemas[type].safeParse(message);
  const failure = parsed.error ?? (type === "cancel" ? cancelRequestSchema.safeParse(message).error : undefined);
  if (!failure) return { command: parsed.data as Command };
  const issues = issuesOf(failure);
  return { refusal: { id: id ?? null, error: { code: "invalid_message", message: describeIssues(issues), issues } } };
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

function refuse(message: string, id?: unknown): Reading {
  return { refusal: { error: { code: "invalid_message", message }, ...(id === undefined ? {} : { id }) } };
}

function shorten(text: string | undefined): string {
  return text === undefined || text.length <= 60 ? String(text) : `${text.slice(0, 60)}…`;
}
