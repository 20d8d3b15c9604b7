import { inspect } from "node:util";
import type { WireError } from "@flock-ts/protocol";
import { FlockError } from "./errors.ts";
import type { Redaction } from "./redaction.ts";

/** How much of an error is reported: name, message, stack and causes, or only name and message. */
export type ErrorDetail = "full" | "message";

/** How an error is reported. */
export interface ErrorReport {
  readonly detail: ErrorDetail;
  /** Removes secrets from all texts; undefined keeps them. */
  readonly redaction?: Redaction | undefined;
}

/** Longest message and stack in events, in characters. */
const MAX_MESSAGE = 4_000;
const MAX_STACK = 8_000;
/** Longest text before the first frame of a stack: it repeats the message. */
const MAX_STACK_HEAD = 500;
/** Longest chain of causes that the schema allows. */
const MAX_CAUSES = 4;
/** Characters examined after a cut, so that a secret at the cut is still found. */
const BEYOND_CUT = 1_000;

/** Returns the default detail: everything, except in production. */
export function errorDetailOf({ NODE_ENV }: NodeJS.ProcessEnv): ErrorDetail {
  return NODE_ENV === "production" ? "message" : "full";
}

/** Converts any thrown value to its wire form. Never throws. */
export function wireErrorOf(thrown: unknown, options: ErrorReport): WireError {
  return convert(thrown, options, new Set()) as WireError;
}

/** Returns the thrown value, or a readable error in its place, so that no later reader throws on it. */
export function readable(thrown: unknown): unknown {
  if (thrown === undefined || thrown === null)
    return new Error("The agent failed: it threw `undefined` or `null`. Throw an `Error`.");
  try {
    if (typeof thrown !== "object" && typeof thrown !== "function") return thrown;
    void (thrown instanceof Error);
    // Loggers also write the other fields of an error.
    for (const name of ["name", "message", "stack", "cause", "code", "toJSON", ...Object.keys(thrown)])
      void (thrown as Record<string, unknown>)[name];
    String(thrown);
    return thrown;
  } catch {
    const { name, message } = wireErrorOf(thrown, { detail: "message" });
    return Object.assign(new Error(message), { name });
  }
}

interface Converted {
  name: string;
  message: string;
  stack?: string;
  cause?: Converted;
}

function convert(thrown: unknown, options: ErrorReport, seen: Set<unknown>): Converted {
  const { detail, redaction } = options;
  const { name, message, stack, cause } = partsOf(thrown);
  const converted: Converted = { name: cut(name, 200, redaction), message: cut(message, MAX_MESSAGE, redaction) };
  if (detail === "message") return converted;
  if (stack !== undefined) converted.stack = stackOf(stack, redaction);
  seen.add(thrown);
  if (cause !== undefined && cause !== null && seen.size <= MAX_CAUSES && !seen.has(cause))
    converted.cause = convert(cause, options, seen);
  return converted;
}

interface Parts {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: unknown;
}

function partsOf(thrown: unknown): Parts {
  if (typeof thrown !== "object" || thrown === null) return { name: "Error", message: textOf(thrown) };
  const message = read(thrown, "message");
  if (typeof message !== "string") return { name: "Error", message: textOf(thrown) };
  const name = isFlockError(thrown) ? read(thrown, "code") : read(thrown, "name");
  const stack = read(thrown, "stack");
  const several = read(thrown, "errors");
  const first = Array.isArray(several) ? read(several, "0") : undefined;
  const count = first === undefined ? undefined : read(several as object, "length");
  return {
    name: typeof name === "string" && name !== "" ? name : "Error",
    message: count === undefined ? message : `${message.slice(0, MAX_MESSAGE)} (the first of ${count} errors)`,
    stack: typeof stack === "string" && stack !== "" ? stack : undefined,
    cause: read(thrown, "cause") ?? first,
  };
}

function isFlockError(thrown: object): boolean {
  try {
    return thrown instanceof FlockError;
  } catch {
    return false;
  }
}

/** Reads a property that may have a throwing getter. */
function read(thing: object, name: string): unknown {
  try {
    return (thing as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function textOf(thing: unknown): string {
  if (typeof thing === "string") return thing;
  try {
    return inspect(thing, { depth: 2, breakLength: Number.POSITIVE_INFINITY, maxStringLength: MAX_MESSAGE });
  } catch {
    return "unreadable thrown value";
  }
}

function stackOf(stack: string, redaction: Redaction | undefined): string {
  const frames = stack.search(/\n\s+at /);
  const head = frames === -1 ? "" : stack.slice(0, frames);
  const rest = frames === -1 ? stack : stack.slice(frames);
  const kept =
    head.length > MAX_STACK_HEAD ? `${cut(head, MAX_STACK_HEAD, redaction)}…` : cut(head, MAX_STACK_HEAD, redaction);
  const beyond = rest.length - MAX_STACK;
  return `${kept}${cut(rest, MAX_STACK, redaction)}${beyond > 0 ? `\n… ${beyond} more characters` : ""}`;
}

function cut(text: string, length: number, redaction: Redaction | undefined): string {
  const whole = text.slice(0, length + BEYOND_CUT);
  return (redaction ? redaction.text(whole) : whole).slice(0, length);
}
