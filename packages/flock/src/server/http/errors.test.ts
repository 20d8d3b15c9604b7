import { ERROR_STATUS, httpErrorSchema } from "@flock-ts/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { RawSocket } from "../../../../../tests/support/raw-socket.ts";
import { Flock } from "../../index.ts";
import {
  ControlRoutesComponent,
  ServerComponent,
  type ServerContext,
  WebSocketServerComponent,
} from "../components/index.ts";

/** A component with a bug. */
class Broken extends ServerComponent {
  override readonly name = "broken";
  override registerRoutes({ app }: ServerContext): void {
    app.get("/broken", () => {
      throw new Error("a secret of the server");
    });
    app.get("/by/:id", () => "found");
  }
}

async function connected() {
  const flock = new Flock();
  onTestFinished(() => flock.shutdown());
  const components = [new WebSocketServerComponent(), new ControlRoutesComponent(), new Broken()];
  const server = await flock.serve({ port: 0, components, maxBodyBytes: 100 });
  const raw = await RawSocket.connect(server.url);
  onTestFinished(() => raw[Symbol.asyncDispose]());
  return raw;
}

const json = (body: string) =>
  `Host: a.localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const upgrade = "Host: a.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

describe("every error over HTTP has the shape of the contract", () => {
  it.for([
    ["an invalid URL", "GET /%zz HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 400],
    ["an invalid URL of an upgrade", `GET /%zz HTTP/1.1\r\n${upgrade}\r\n`, 400],
    ["a part of the path that is too long", `GET /by/${"x".repeat(600)} HTTP/1.1\r\nHost: a.localhost\r\n\r\n`, 414],
    ["an unknown path", "GET /nowhere HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404],
    ["a method that the path does not have", "DELETE /api/plugin/graph HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404],
    ["a method that Fastify does not have", "PROPFIND /api/plugin/graph HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 404],
    ["a method that HTTP does not have", "FLY /api/plugin/graph HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 400],
    ["no HTTP", "hello\r\n\r\n", 400],
    ["no Host", "GET /api/plugin/graph HTTP/1.1\r\n\r\n", 400],
    ["a foreign Host", "GET /api/plugin/graph HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403],
    ["an unknown expectation", "GET /api/plugin/graph HTTP/1.1\r\nHost: a.localhost\r\nExpect: cake\r\n\r\n", 417],
    [
      "headers that are too large",
      `GET /api/plugin/graph HTTP/1.1\r\nHost: a.localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ["a body that is too large", `POST /api/plugin/publish HTTP/1.1\r\n${json(`"${"x".repeat(200)}"`)}`, 413],
    ["a body that is not JSON", `POST /api/plugin/publish HTTP/1.1\r\n${json("{")}`, 400],
    ["an empty body", `POST /api/plugin/publish HTTP/1.1\r\n${json("")}`, 400],
    [
      "another media type",
      `POST /api/plugin/publish HTTP/1.1\r\n${json("{}").replace("application/json", "text/csv")}`,
      415,
    ],
    ["an invalid field", `POST /api/plugin/publish HTTP/1.1\r\n${json("{}")}`, 400],
    ["an exception", "GET /broken HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 500],
    ["a WebSocket without an upgrade", "GET /plugin/ws HTTP/1.1\r\nHost: a.localhost\r\n\r\n", 426],
    ["an upgrade of another path", `GET /nowhere HTTP/1.1\r\n${upgrade}\r\n`, 404],
    ["a handshake without a key", `GET /plugin/ws HTTP/1.1\r\n${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`, 400],
    [
      "a handshake of an old version",
      `GET /plugin/ws HTTP/1.1\r\n${upgrade}${key}Sec-WebSocket-Version: 7\r\n\r\n`,
      400,
    ],
    [
      "a handshake of a foreign origin",
      `GET /plugin/ws HTTP/1.1\r\n${upgrade}${key}Origin: http://evil.example\r\n\r\n`,
      403,
    ],
  ] as const)("%s", async ([, request, status]) => {
    const raw = await connected();
    raw.write(request);
    const head = await raw.head();
    expect(head.status).toBe(status);
    expect(head.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const body = await raw.body(head);
    expect(httpErrorSchema.strict().parse(body)).toEqual(body);
    const { error } = body as { error: { code: keyof typeof ERROR_STATUS; message: string } };
    expect(Object.keys(ERROR_STATUS)).toContain(error.code);
    expect(error.message).not.toBe("");
    expect(error.message).not.toContain("secret");
  });
});
