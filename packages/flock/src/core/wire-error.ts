import { inspect } from "node:util";
import type { WireError } from "@flock-ts/protocol";
import { FlockError } from "./errors.ts";
import type { Redaction } from "./redaction.ts";

/** How much of an error is told: all of it with stack and causes, or its name and message alone. */
export type ErrorDetail = "full" | "message";

/** How an error is told. */
export interface ErrorTelling {
  readonly detail: ErrorDetail;
  /** Takes secrets out of all its texts; undefined when they may stay. */
  readonly redaction?: Redaction | undefined;
}

/** Longest message and stack that travel in events, in characters. */
const MAX_MESSAGE = 4_000;
const MAX_STACK = 8_000;
/** Longest text before the first line of a stack that tells a place: it repeats the message. */
const MAX_STACK_HEAD = 500;
/** So many causes are told, one under the other: as many as the schema has room for. */
const MAX_CAUSES = 4;
/** A secret that stands where a text is cut is still found if so many characters more are looked at. */
const BEYOND_CUT = 1_000;

/** How much is told where nobody has said: everything, except in production. */
export function errorDetailOf({ NODE_ENV }: NodeJS.ProcessEnv): ErrorDetail {
  return NODE_ENV === "production" ? "message" : "full";
}

/** Anything that was thrown, as events tell it. Never throws, whatever it is. */
export function wireErrorOf(thrown: unknown, telling: ErrorTelling): WireError {
  return tell(thrown, telling, new Set()) as WireError;
}

/** What was thrown, or an error in its place that can be read: nobody else is to stumble over it. */
export function readable(thrown: unknown): unknown {
  if (thrown === undefined || thrown === null) return new Error("the agent threw nothing at all");
  try {
    if (typeof thrown !== "object" && typeof thrown !== "function") return thrown;
    void (thrown instanceof Error);
    // A log writes out what an error has beside its message.
    for (const name of ["name", "message", "stack", "cause", "code", "toJSON", ...Object.keys(thrown)])
      void (thrown as Record<string, unknown>)[name];
    String(thrown);
    return thrown;
  } catch {
    const { name, message } = wireErrorOf(thrown, { detail: "message" });
    return Object.assign(new Error(message), { name });
  }
}

interface Told {
  name: string;
  message: string;
  stack?: string;
  cause?: Told;
}

function tell(thrown: unknown, telling: ErrorTelling, seen: Set<unknown>): Told {
  const { detail, redaction } = telling;
  const { name, message, stack, cause } = partsOf(thrown);
  const told: Told = { name: cut(name, 200, redaction), message: cut(message, MAX_MESSAGE, redaction) };
  if (detail === "message") return told;
  if (stack !== undefined) told.stack = stackOf(stack, redaction);
  seen.add(thrown);
  if (cause !== undefined && cause !== null && seen.size <= MAX_CAUSES && !seen.has(cause))
    told.cause = tell(cause, telling, seen);
  return told;
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

/** A field of something that may defend itself. */
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
    return "something was thrown that cannot be read";
  }
}

function stackOf(stack: string, redaction: Redaction | undefined): string {
  const places = stack.search(/\n\s+at /);
  const head = places === -1 ? "" : stack.slice(0, places);
  const rest = places === -1 ? stack : stack.slice(places);
  const kept =
    head.length > MAX_STACK_HEAD ? `${cut(head, MAX_STACK_HEAD, redaction)}…` : cut(head, MAX_STACK_HEAD, redaction);
  const beyond = rest.length - MAX_STACK;
  return `${kept}${cut(rest, MAX_STACK, redaction)}${beyond > 0 ? `\n… ${beyond} more characters` : ""}`;
}

function cut(text: string, length: number, redaction: Redaction | undefined): string {
  const whole = text.slice(0, length + BEYOND_CUT);
  return (redaction ? redaction.text(whole) : whole).slice(0, length);
}
