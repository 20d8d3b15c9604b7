import { describeIssues, type ErrorCode, type Issue, issuesOf, MAX_NAME_LENGTH } from "@flock-ts/protocol";
import type { z } from "zod";

/** Codes of errors that only code can cause. They never travel over the wire under these names. */
export type LocalErrorCode =
  | "address_in_use"
  | "agent_incomplete"
  | "budget_exceeded"
  | "cannot_listen"
  | "context_failed"
  | "component_failed"
  | "duplicate_agent"
  | "duplicate_artifact_type"
  | "duplicate_component"
  | "inside_run"
  | "invalid_name"
  | "invalid_options"
  | "lease_lost"
  | "missing_dependency"
  | "model_answer_invalid"
  | "model_failed"
  | "model_refused"
  | "model_unavailable"
  | "not_a_draft"
  | "question_expired"
  | "question_wrong"
  | "recording_broken"
  | "run_ended"
  | "store_failed"
  | "store_refused"
  | "store_unusable"
  | "tool_failed"
  | "tool_not_allowed"
  | "tool_server_unavailable"
  | "tool_unknown"
  | "wrong_inputs"
  | "wrong_output";

/** Options of a {@link FlockError}. */
export interface FlockErrorOptions {
  /** The invalid fields, with the path of each one. */
  readonly issues?: readonly Issue[];
  /** The underlying error. */
  readonly cause?: unknown;
}

/**
 * The error class of all deliberate Flock errors. `message` says what failed, why, and what to do; `code` is for
 * programs.
 */
export class FlockError extends Error {
  override readonly name = "FlockError";
  readonly code: ErrorCode | LocalErrorCode;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode | LocalErrorCode, message: string, { issues = [], cause }: FlockErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.issues = issues;
  }
}

/**
 * Validates options that were passed in code.
 * @throws FlockError `invalid_options`, naming each invalid option.
 */
export function checkOptions<S extends z.ZodType>(what: string, schema: S, options: unknown): z.output<S> {
  const checked = schema.safeParse(options);
  if (checked.success) return checked.data;
  const issues = issuesOf(checked.error);
  throw new FlockError("invalid_options", `Invalid options for ${what}: ${describeIssues(issues)}`, { issues });
}

/**
 * Checks the length of an id, a tag or another text that events repeat.
 * @throws FlockError `invalid_request`.
 */
export function checkLength(what: string, text: string, limit = MAX_NAME_LENGTH): void {
  if (typeof text !== "string")
    throw new FlockError("invalid_request", `Invalid ${what}: it is a ${typeof text}. Pass a string.`);
  if (text.length <= limit) return;
  throw new FlockError(
    "invalid_request",
    `Invalid ${what}: it has ${text.length} characters, the limit is ${limit}. Shorten it.`,
  );
}

/**
 * Checks a text that identifies something, such as a correlation id: its length, and that it is well-formed Unicode. UTF-8
 * replaces half a surrogate pair by U+FFFD, in files and URLs, so different ids would become equal there.
 * @throws FlockError `invalid_request`.
 */
export function checkId(what: string, text: string, limit = MAX_NAME_LENGTH): void {
  checkLength(what, text, limit);
  if (text.isWellFormed()) return;
  throw new FlockError(
    "invalid_request",
    `Invalid ${what}: \`${JSON.stringify(text)}\` contains half a surrogate pair. Use well-formed Unicode.`,
  );
}

/** How many tags an artifact can have. */
const MAX_TAGS = 1_000;

/**
 * Checks the number of tags, and each as {@link checkId} does.
 * @throws FlockError `invalid_request`.
 */
export function checkTags(what: string, tags: readonly string[]): void {
  if (!Array.isArray(tags))
    throw new FlockError("invalid_request", `Invalid ${what}: a ${typeof tags}. Pass a list of strings.`);
  for (const tag of tags) checkId(`tag in ${what}`, tag);
  if (tags.length <= MAX_TAGS) return;
  throw new FlockError(
    "invalid_request",
    `Invalid ${what}: there are ${tags.length}, the limit is ${MAX_TAGS}. Use fewer tags.`,
  );
}

/**
 * Checks that a name can be used in URLs and in filters, where commas separate names.
 * @throws FlockError `invalid_name`.
 */
export function checkName(what: string, name: unknown): asserts name is string {
  // As a key of an object, it would be its prototype.
  if (name === "__proto__")
    throw new FlockError("invalid_name", `Invalid name for ${what}: \`__proto__\` is reserved.`);
  if (typeof name === "string" && /^[^\s,\p{Cs}][^,\p{Cc}\p{Cs}]{0,199}$/u.test(name) && name.trim() === name) return;
  throw new FlockError(
    "invalid_name",
    `Invalid name for ${what}: \`${JSON.stringify(name)}\`. Use 1 to 200 characters without commas, control characters, or leading and trailing spaces.`,
  );
}
