import type { IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { checkJsonDepth } from "@flock-ts/protocol";
import type { McpHttpHandler, McpServer } from "@modelcontextprotocol/server";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { httpErrorOf } from "../http/errors.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { addTools, type Caller, type McpToolName, TOOL_NAMES } from "../mcp/tools.ts";
import { isLoopback, isSameHost, policyOf } from "../security/origin.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

export type { McpToolName };

/** What an {@link McpServerComponent} can be told. */
export interface McpServerConfig {
  /** The endpoint. Default `/mcp`. */
  readonly prefix?: string;
  /** Which tools there are. Default: all. */
  readonly tools?: readonly McpToolName[];
  /** More requests than this at the same time, those that wait in `watch` among them, are told to come back later (503). Default 100. */
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

/** How long a client that found the server full should stay away, in seconds. */
const FULL_RETRY_AFTER_S = 5;

const INSTRUCTIONS =
  "A blackboard for agents. Agents never call each other: each is woken by artifacts of the types that it consumes, and publishes others. Publish an artifact to set agents to work; watch, or query, to see what comes of it.";

/**
 * Makes the flock an MCP server (Model Context Protocol, Streamable HTTP), so that other agents publish, query and watch. No
 * session is kept: each request is answered by itself, and whoever watches says where in the log to go on.
 *
 * @example
 * await flock.serve({ components: [new McpServerComponent()] }); // http://127.0.0.1:8000/mcp
 */
export class McpServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "mcp";
  #handler: McpHttpHandler | undefined;
  readonly #shutdown = new AbortController();
  #open = 0;
  /** Somebody waits until nothing is open. */
  #idle: (() => void) | undefined;

  /** @throws FlockError `invalid_options`, naming each wrong option. */
  constructor(config: McpServerConfig = {}) {
    super(checkOptions("new McpServerComponent", configSchema, config));
  }

  /** Where clients connect. */
  get path(): string {
    return joinPath(this.config.prefix);
  }

  /** How many requests are being answered. */
  get requestCount(): number {
    return this.#open;
  }

  /** @throws FlockError `missing_dependency` when the official SDK is not installed. */
  override async registerRoutes({ app, host, log, components, principalOf }: ServerContext): Promise<void> {
    const { createMcpHandler, McpServer } = await load();
    const handler = createMcpHandler(
      ({ authInfo }): McpServer => {
        const server = new McpServer({ name: "flock", version: VERSION }, { instructions: INSTRUCTIONS });
        addTools(server, this.config.tools, authInfo?.extra?.caller as Caller);
        return server;
      },
      {
        onerror: (err) => log.debug({ err }, "an MCP client sent something wrong"),
        maxSubscriptions: this.config.maxRequests,
      },
    );
    this.#handler = handler;

    await app.register(async (scope) => {
      // The SDK parses the body and answers invalid JSON itself, as the protocol has it; but it accepts any depth.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser<string>("*", { parseAs: "string" }, (_request, body, done) => {
        try {
          checkJsonDepth(body);
        } catch (error) {
          done(new FlockError("invalid_request", `cannot parse the body: ${(error as Error).message}`));
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
          this.#assertOrigin(request, components);
          if (this.#open < this.config.maxRequests) return;
          void reply.header("retry-after", FULL_RETRY_AFTER_S);
          throw new FlockError(
            "too_many_connections",
            `this server answers its ${this.config.maxRequests} requests: try again later, or raise maxRequests`,
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
          this.#open += 1;
          reply.raw.once("close", () => {
            this.#open -= 1;
            if (this.#open === 0) this.#idle?.();
            gone.abort();
          });
          // The SDK hands on what it is told of who asks, without looking at it.
          const authInfo = { token: "", clientId: "", scopes: [], extra: { caller } };
          return handler.fetch(webRequest(request, gone.signal), { authInfo });
        },
      });
    });
  }

  /** Answers those who wait with what there is, and ends what is open. */
  override async onShutdown(): Promise<void> {
    this.#shutdown.abort();
    if (this.#open > 0) {
      const { promise: idle, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      await Promise.race([idle, pause(ANSWER_MS, undefined, { ref: false })]);
    }
    await this.#handler?.close();
  }

  /** @throws FlockError `origin_not_allowed`. Programs send no origin; a page that is served from a name may be anybody's. */
  #assertOrigin(request: FastifyRequest, components: ServerContext["components"]): void {
    const { origin, host } = request.headers;
    if (origin === undefined || (isLoopback(origin) && isSameHost(origin, host))) return;
    if (policyOf(components)?.isOriginAllowed(origin)) return;
    throw new FlockError(
      "origin_not_allowed",
      `pages from ${origin} may not use ${this.path}: allow the origin with a CORSComponent`,
    );
  }
}

/** How long those who wait are given to read their answer when the server goes down, in ms. */
const ANSWER_MS = 500;

/** A request as the SDK takes it. */
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

/** Only to make an address that can be parsed; nobody trusts it. */
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
      "McpServerComponent needs a package that is not installed: run `npm install @modelcontextprotocol/server`",
      { cause },
    );
  }
}
