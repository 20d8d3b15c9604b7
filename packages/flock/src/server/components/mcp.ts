import type { IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { McpHttpHandler, McpServer } from "@modelcontextprotocol/server";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { httpErrorOf } from "../http/errors.ts";
import { checkJsonBody } from "../http/json-body.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { type McpToolName, TOOL_NAMES } from "../mcp/tool-names.ts";
import { addTools, type Caller } from "../mcp/tools.ts";
import { isLoopback, isSameHost, type Origins } from "../security/origins.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

export type { McpToolName };

/** The options of {@link McpServerComponent}. */
export interface McpServerConfig {
  /** The path of the endpoint. Default `/mcp`. */
  readonly prefix?: string;
  /** The tools that clients can call. Default: all. */
  readonly tools?: readonly McpToolName[];
  /** How many requests may be open at once, including calls of `watch` that wait. Further ones get 503. Default 100. */
  readonly maxRequests?: number;
  /** Groups the endpoint in the API documents. Default `["MCP"]`. */
  readonly tags?: readonly string[];
  /** Lower registers first. Default 20. */
  readonly priority?: number;
}

const configSchema = z.strictObject({
  prefix: prefixSchema.default("/mcp"),
  tools: z.array(z.enum(TOOL_NAMES)).default([...TOOL_NAMES]),
  maxRequests: z.int().min(1).default(100),
  tags: z.array(z.string()).default(["MCP"]),
  priority: z.number().default(20),
});

/** How long a client should wait when the limit is reached, in seconds. */
const FULL_RETRY_AFTER_S = 5;

const INSTRUCTIONS =
  "A blackboard for agents. Agents never call each other: artifacts of the types that an agent consumes trigger it, and it publishes others. Publish an artifact to start agents. Use watch or query_artifacts to see the results.";

/**
 * Makes the flock an MCP server (Model Context Protocol, Streamable HTTP), so that other agents can publish, query and
 * watch. It keeps no sessions: each request is independent, and a client that watches passes its cursor in the log.
 *
 * @example
 * await flock.serve({ components: [new McpServerComponent()] }); // http://127.0.0.1:8000/mcp
 */
export class McpServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "mcp";
  #handler: McpHttpHandler | undefined;
  readonly #shutdown = new AbortController();
  #open = 0;
  /** Resolves the shutdown when the last request has ended. */
  #idle: (() => void) | undefined;

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: McpServerConfig = {}) {
    super(checkOptions("new McpServerComponent", configSchema, config));
  }

  /** The path of the endpoint. */
  get path(): string {
    return joinPath(this.config.prefix);
  }

  /** How many requests are open. */
  get requestCount(): number {
    return this.#open;
  }

  /** @throws FlockError `missing_dependency` when the official SDK is not installed. */
  override async registerRoutes({ app, host, log, origins, principalOf }: ServerContext): Promise<void> {
    const { createMcpHandler, McpServer } = await load();
    const handler = createMcpHandler(
      ({ authInfo }): McpServer => {
        const server = new McpServer({ name: "flock", version: VERSION }, { instructions: INSTRUCTIONS });
        addTools(server, this.config.tools, authInfo?.extra?.caller as Caller);
        return server;
      },
      {
        onerror: (err) => log.debug({ err }, "received an invalid MCP request"),
        maxSubscriptions: this.config.maxRequests,
      },
    );
    this.#handler = handler;

    await app.register(async (scope) => {
      // The SDK parses the body and answers invalid JSON as the protocol requires, but it accepts any depth.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser<string>("*", { parseAs: "string" }, (_request, body, done) => {
        try {
          checkJsonBody(body);
        } catch (error) {
          done(error as FlockError);
          return;
        }
        done(null, body);
      });
      scope.route({
        method: ["GET", "POST", "DELETE"],
        url: this.path,
        exposeHeadRoute: false,
        schema: { tags: this.config.tags, summary: "Model Context Protocol: Streamable HTTP" },
        onRequest: async (request, reply) => {
          this.#assertOrigin(request, origins);
          if (this.#open < this.config.maxRequests) return;
          void reply.header("retry-after", FULL_RETRY_AFTER_S);
          throw new FlockError(
            "too_many_connections",
            `Request limit reached (${this.config.maxRequests}). Retry later, or raise \`maxRequests\`.`,
          );
        },
        handler: async (request, reply) => {
          const gone = new AbortController();
          const signal = AbortSignal.any([gone.signal, this.#shutdown.signal]);
          const caller: Caller = {
            log: host.log,
            host: host.as(principalOf(request)),
            signal,
            explain: (error) => httpErrorOf(error, request).error,
          };
          // A client that has already disconnected reports no further end.
          if (request.raw.socket.destroyed) return reply.hijack();
          this.#open += 1;
          reply.raw.once("close", () => {
            this.#open -= 1;
            if (this.#open === 0) this.#idle?.();
            gone.abort();
          });
          // The SDK passes `authInfo` on without using it.
          const authInfo = { token: "", clientId: "", scopes: [], extra: { caller } };
          return handler.fetch(webRequest(request, gone.signal), { authInfo });
        },
      });
    });
  }

  /** Lets open requests return what they have, then closes them. */
  override async onShutdown(): Promise<void> {
    this.#shutdown.abort();
    if (this.#open > 0) {
      const { promise: idle, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      await Promise.race([idle, pause(ANSWER_MS, undefined, { ref: false })]);
    }
    await this.#handler?.close();
  }

  /**
   * Programs send no origin. A page on the same host is allowed only on loopback: any other name can be an attacker's.
   * @throws FlockError `origin_not_allowed`.
   */
  #assertOrigin(request: FastifyRequest, origins: Origins): void {
    const { origin, host } = request.headers;
    if (origin === undefined || (isLoopback(origin) && isSameHost(origin, host))) return;
    if (origins.isAllowed(origin)) return;
    throw new FlockError(
      "origin_not_allowed",
      `Origin ${origin} is not allowed to use ${this.path}. Allow it with a CORSComponent.`,
    );
  }
}

/** How long clients may take to read their responses during a shutdown, in ms. */
const ANSWER_MS = 500;

/** Converts a request to the type that the SDK expects. */
function webRequest({ raw, method, body, headers }: FastifyRequest, signal: AbortSignal): Request {
  const url = new URL(raw.url ?? "/", `http://${hostOf(raw)}`);
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as [string, string]] : [],
  );
  return new Request(url, {
    method,
    headers: pairs,
    signal,
    ...(method === "POST" ? { body: (body as BodyInit | undefined) ?? "" } : {}),
  });
}

/** Returns a host that makes a valid URL. Nothing depends on it. */
function hostOf({ headers: { host = "" } }: IncomingMessage): string {
  return URL.canParse(`http://${host}`) ? host : "localhost";
}

async function load(): Promise<typeof import("@modelcontextprotocol/server")> {
  try {
    return await import("@modelcontextprotocol/server");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new FlockError(
      "missing_dependency",
      "Cannot load McpServerComponent: a package is not installed. Run `npm install @modelcontextprotocol/server`.",
      { cause },
    );
  }
}
