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

/** The error responses of every route, for its `response` schemas. */
export const ERROR_RESPONSES = { "4xx": httpErrorSchema, "5xx": httpErrorSchema } as const;

/** An error as HTTP tells it. */
export interface HttpError {
  readonly status: number;
  readonly error: ErrorBody;
}

/** What the request says that a failure belongs to; the parts of a Fastify request that are needed here. */
interface FailedRequest {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  readonly routeOptions: { readonly bodyLimit?: number };
}

/** What the framework's own messages leave open: what to do. */
const SENTENCES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body must be JSON, with "Content-Type: application/json"',
  FST_ERR_CTP_EMPTY_JSON_BODY: "the body is empty, and must be JSON",
  FST_ERR_CTP_INVALID_JSON_BODY: "the body is not valid JSON",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "the body is not as long as Content-Length says",
};

/** Any error as the client may see it. What is not the client's fault goes to the log, and only there. */
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
      `the body is larger than the ${bodyLimit ?? 0} bytes that this server accepts (maxBodyBytes): send less`,
    );
  }
  if (status >= 400 && status < 500) {
    return { status, error: { code: codeOf(status), message: SENTENCES[code] ?? message } };
  }
  request.log.error({ err: error }, "a request failed");
  return refusal("internal", `something went wrong inside the server: its log has the details under ${request.id}`);
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
