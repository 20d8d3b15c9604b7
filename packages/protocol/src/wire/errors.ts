import { z } from "zod";

/** One invalid field: where it is, and what is wrong with it. */
export const issueSchema = z
  .object({
    path: z.array(z.union([z.string(), z.number()])),
    message: z.string(),
  })
  .meta({ id: "Issue" });

/** What is wrong, for a program (`code`) and for a person (`message`). */
export const errorBodySchema = z
  .object({
    code: z.string(),
    message: z.string(),
    issues: z.array(issueSchema).optional(),
  })
  .meta({ id: "ErrorBody" });

/** The JSON body of every HTTP error. */
export const httpErrorSchema = z.object({ error: errorBodySchema }).meta({ id: "HttpError" });

/** One invalid field: where it is, and what is wrong with it. */
export type Issue = z.infer<typeof issueSchema>;
/** What is wrong, for a program (`code`) and for a person (`message`). */
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** Every error code of the wire, with the HTTP status that goes with it. */
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

/** How many issues one error reports. */
export const MAX_ISSUES = 20;
/** The longest message of an issue, and the longest key in its path, in characters. */
const MAX_ISSUE_TEXT = 300;

/**
 * Returns the issues of a Zod error for the wire: at most {@link MAX_ISSUES}, of which the last one tells how many more
 * there are.
 * @param total how many there are, when `issues` holds only the first of them.
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

/** Issues in one sentence: `toppings.0: expected string; name: required`. */
export function describeIssues(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message)).join("; ");
}
