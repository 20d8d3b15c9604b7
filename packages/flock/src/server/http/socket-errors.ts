import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpError } from "./errors.ts";

const JSON_TYPE = "application/json; charset=utf-8";

/** Errors of Node's HTTP parser, by code. Everything else is a malformed request. */
const PARSER_ERRORS: Readonly<Record<string, HttpError>> = {
  ERR_HTTP_REQUEST_TIMEOUT: invalid(408, "Request timeout: the request did not arrive in time. Send it again."),
  HPE_HEADER_OVERFLOW: invalid(431, "Headers too large: the limit is 16 KiB. Send fewer or shorter headers."),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: invalid(413, "Chunk extensions too large. Send the body without them."),
};
const MALFORMED = invalid(400, "Malformed request: it is not valid HTTP/1.1. Check the request line and the headers.");

/** Returns the response to a request that Node could not parse. */
export function parserError({ code = "" }: NodeJS.ErrnoException): HttpError {
  return PARSER_ERRORS[code] ?? MALFORMED;
}

/** Sends an error as the response to a request that has no Fastify reply, and closes its connection. */
export function respondWithError(response: ServerResponse, { status, error }: HttpError): void {
  const { socket } = response;
  response.statusCode = status;
  response.setHeader("content-type", JSON_TYPE);
  response.setHeader("connection", "close");
  // Node would not close the socket of an upgrade.
  response.once("finish", () => socket?.destroySoon());
  response.end(JSON.stringify({ error }));
}

/** Sends an error on a socket without a response object, and closes it. */
export function endWithError(
  socket: Duplex,
  { status, error }: HttpError,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({ error });
  const lines = Object.entries({
    "content-type": JSON_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}

function invalid(status: number, message: string): HttpError {
  return { status, error: { code: "invalid_request", message } };
}
