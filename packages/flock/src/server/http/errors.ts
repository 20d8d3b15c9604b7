import {
  describeIssues,
  ERROR_STATUS,
  type ErrorBody,
  type ErrorCode,
  httpErrorSchema,
  type Issue,
  issuesOf,
} from "@flock-ts/protocol";
import type { FastifyBaseLogger } from "fastify";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";

/** The error responses of all routes, for their `response` schemas. */
export const ERROR_RESPONSES = { "4xx": httpErrorSchema, "5xx": httpErrorSchema } as const;

/** An error as an HTTP response. */
export interface HttpError {
  readonly status: number;
  readonly error: ErrorBody;
}

/** The parts of a Fastify request that describe its failure. */
interface FailedRequest {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  readonly routeOptions: { readonly bodyLimit?: number };
}

/** Replacements for messages of Fastify, with what to do. */
const SENTENCES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    'Unsupported media type: the body must be JSON. Send "Content-Type: application/json".',
  FST_ERR_CTP_EMPTY_JSON_BODY: "Empty body: send JSON.",
  FST_ERR_CTP_INVALID_JSON_BODY: "Invalid body: it is not valid JSON.",
  FST_ERR_BAD_URL: "Invalid URL: its path has an invalid percent-encoding. Encode it with `encodeURIComponent`.",
  FST_ERR_MAX_PARAM_LENGTH: "URL too long: a part of its path is longer than any id or name. Shorten it.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "Invalid body: its length differs from `Content-Length`.",
};

/** Converts an error to a response. The details of server errors go only to the log. */
export function httpErrorOf(error: unknown, request: FailedRequest): HttpError {
  if (error instanceof FlockError && error.code in ERROR_STATUS) {
    return refusal(error.code as ErrorCode, error.message, error.issues);
  }
  if (error instanceof z.ZodError) {
    const issues = issuesOf(error);
    return refusal("invalid_request", describeIssues(issues), issues);
  }
  const {
    statusCode: status = 500,
    code = "",
    message = "",
  } = error as Partial<Record<string, never>> & {
    statusCode?: number;
    code?: string;
    message?: string;
  };
  if (status === 413) {
    const { bodyLimit } = request.routeOptions;
    return refusal(
      "message_too_big",
      `Body too large: the limit is ${bodyLimit ?? 0} bytes (\`maxBodyBytes\`). Send less.`,
    );
  }
  if (status >= 400 && status < 500) {
    return { status, error: { code: codeOf(status), message: SENTENCES[code] ?? message } };
  }
  request.log.error({ err: error }, "failed to handle a request");
  return refusal("internal", `Internal error: the server log has the details of request ${request.id}.`);
}

function refusal(code: ErrorCode, message: string, issues: readonly Issue[] = []): HttpError {
  return {
    status: ERROR_STATUS[code],
    error: { code, message, ...(issues.length > 0 ? { issues: [...issues] } : {}) },
  };
}

function codeOf(status: number): ErrorCode {
  const codes = Object.keys(ERROR_STATUS) as ErrorCode[];
  return (status !== 400 && codes.find((code) => ERROR_STATUS[code] === status)) || "invalid_request";
}
