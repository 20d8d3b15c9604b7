import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createMcpHandler, McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { z } from "zod";

/** What the tools of a test's server have done so far. */
export interface ToolState {
  calls: string[];
  cancelled: number;
  /** What `echo` is called now. */
  echo: string;
  /** How the process ends that has the tools. */
  die: () => void;
}

const text = (value: string) => ({ content: [{ type: "text" as const, text: value }] });
const nothing = z.object({});
/** A PNG of one pixel. */
export const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** A server of the official SDK with tools that work, fail, hang, change their name or kill it. */
export function toolServer(state: ToolState): McpServer {
  const server = new McpServer({ name: "test", version: "1.0.0" });
  const tool = (name: string, run: () => ReturnType<typeof text> | object | Promise<object>) =>
    server.registerTool(name, { description: `does ${name}`, inputSchema: nothing }, async () => {
      state.calls.push(name);
      return (await run()) as ReturnType<typeof text>;
    });
  const echo = server.registerTool(
    state.echo,
    { description: "Says it again", inputSchema: z.object({ text: z.string().min(1) }) },
    async ({ text: said }) => {
      state.calls.push(state.echo);
      return text(said);
    },
  );
  tool("rename", () => {
    state.echo = "say";
    echo.update({ name: "say" });
    return text("renamed");
  });
  tool("environment", () => text(Object.keys(process.env).join(",")));
  tool("fail", () => ({ ...text("the disk is full"), isError: true }));
  tool("throw", () => Promise.reject(new Error("it broke")));
  tool("die", () => {
    state.die();
    return new Promise(() => {});
  });
  tool("big", () => text("x".repeat(200_000)));
  tool("huge", () => text("x".repeat(11 * 1024 * 1024)));
  tool("picture", () => ({
    content: [
      { type: "text", text: "see" },
      { type: "image", data: PIXEL, mimeType: "image/png" },
      { type: "resource_link", uri: "file:///a.txt", name: "a.txt" },
      { type: "resource", resource: { uri: "file:///b.txt", text: "inside b" } },
    ],
  }));
  tool("state", () => text(JSON.stringify({ calls: state.calls, cancelled: state.cancelled })));
  server.registerTool("measure", { inputSchema: nothing, outputSchema: z.object({ grams: z.number() }) }, async () => ({
    content: [],
    structuredContent: { grams: 12 },
  }));
  server.registerTool("wait", { inputSchema: nothing }, async (_, { mcpReq: { signal } }) => {
    state.calls.push("wait");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    state.cancelled += 1;
    return text("never read");
  });
  return server;
}

/** The state at the beginning. */
export const toolState = (die: () => void = () => process.kill(process.pid, "SIGKILL")): ToolState => ({
  calls: [],
  cancelled: 0,
  echo: "echo",
  die,
});

/** What answers HTTP requests. */
type Handler = (request: Request) => Promise<Response>;

/** Both protocols, without sessions. */
export const stateless = (state: ToolState): Handler => createMcpHandler(() => toolServer(state)).fetch;

/** The protocol of 2025, with a session for each client, which is gone when the server is. */
export function sessions(state: ToolState): Handler {
  const transports = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return async (request) => {
    const id = request.headers.get("mcp-session-id");
    const known = id === null ? undefined : transports.get(id);
    if (known) return known.handleRequest(request);
    if (id !== null) return new Response("no such session", { status: 404 });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void transports.set(session, transport),
    });
    await toolServer(state).connect(transport);
    return transport.handleRequest(request);
  };
}

/** An MCP server on the loopback. It ends with the test. */
export class HttpMcpServer implements AsyncDisposable {
  /** Headers of the requests so far. */
  readonly requests: IncomingMessage["headers"][] = [];
  #handler: Handler;
  readonly #server: Server;

  private constructor(handler: Handler) {
    this.#handler = handler;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(handler: Handler, port = 0): Promise<HttpMcpServer> {
    const server = new HttpMcpServer(handler);
    server.#server.listen(port, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  /** Replaces the handler, as a restart of the server would. */
  becomes(handler: Handler): void {
    this.#handler = handler;
  }

  /** Breaks every connection off. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(request.headers);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const hasBody = request.method === "POST";
    const answer = await this.#handler(
      new Request(new URL(request.url ?? "/", this.url), {
        method: request.method ?? "GET",
        headers: request.headers as Record<string, string>,
        signal: gone.signal,
        ...(hasBody ? { body: Readable.toWeb(request) as ReadableStream, duplex: "half" } : {}),
      } as RequestInit),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.flushHeaders();
    if (!answer.body) return void response.end();
    Readable.fromWeb(answer.body as never)
      .on("error", () => response.destroy())
      .pipe(response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, "close");
  }
}
