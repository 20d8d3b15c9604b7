import { z } from "zod";

/** Validates one invalid field of a message. */
export const issueSchema = z
  .object({
    path: z.array(z.union([z.string(), z.number()])),
    message: z.string(),
  })
  .meta({ id: "Issue" });

/** Validates an error: `code` for programs, `message` for people. */
export const errorBodySchema = z
  .object({
    code: z.string(),
    message: z.string(),
    issues: z.array(issueSchema).optional(),
  })
  .meta({ id: "ErrorBody" });

/** Validates the JSON body of an HTTP error. */
export const httpErrorSchema = z.object({ error: errorBodySchema }).meta({ id: "HttpError" });

/** One invalid field of a message: its path, and why it is invalid. */
export type Issue = z.infer<typeof issueSchema>;
/** An error: `code` for programs, `message` for people. */
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** All error codes, with the HTTP status of each. */
export const ERROR_STATUS = {
  invalid_message: 400,
  invalid_payload: 400,
  invalid_request: 400,
  not_authenticated: 401,
  origin_not_allowed: 403,
  host_not_allowed: 403,
  not_allowed: 403,
  not_found: 404,
  unknown_artifact_type: 404,
  unknown_agent: 404,
  conflict: 409,
  idempotency_conflict: 409,
  message_too_big: 413,
  upgrade_required: 426,
  too_many_requests: 429,
  internal: 500,
  too_many_connections: 503,
  shutting_down: 503,
  unavailable: 503,
} as const;

/** An error code of the wire. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** The largest number of issues that one error reports. */
export const MAX_ISSUES = 20;
/** The longest message of an issue, and the longest key in its path, in characters. */
const MAX_ISSUE_TEXT = 300;

/**
 * Returns the issues of a Zod error as sent on the wire: at most {@link MAX_ISSUES}. The last one reports how many more
 * there are.
 *
 * @param total number of all issues, if `issues` contains only the first of them.
 */
export function issuesOf(
  { issues }: { readonly issues: readonly Pick<z.core.$ZodIssue, "path" | "message">[] },
  total = issues.length,
): Issue[] {
  const reported = total > MAX_ISSUES ? MAX_ISSUES - 1 : total;
  const found: Issue[] = issues.slice(0, reported).map(({ path, message }) => ({
    path: path.map((part) => (typeof part === "number" ? part : shorten(String(part)))),
    message: shorten(message),
  }));
  if (total > reported) found.push({ path: [], message: `and ${total - reported} more issues` });
  return found;
}

function shorten(text: string): string {
  return text.length <= MAX_ISSUE_TEXT ? text : `${text.slice(0, MAX_ISSUE_TEXT)}…`;
}

/** Returns issues as one line: `toppings.0: expected string; name: required`. */
export function describeIssues(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message)).join("; ");
}
