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

/** The issues of a Zod error, as the wire tells them. */
export function issuesOf(error: z.ZodError): Issue[] {
  return error.issues.map((issue) => ({
    path: issue.path.map((part) => (typeof part === "symbol" ? String(part) : part)),
    message: issue.message,
  }));
}

/** Issues in one sentence: `toppings.0: expected string; name: required`. */
export function describeIssues(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message)).join("; ");
}
