import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import fastifyWebsocket from "@fastify/websocket";
import {
  asyncApiDocument,
  connectionsQuerySchema,
  connectionsSchema,
  connectQuerySchema,
  eventPageSchema,
  eventsQuerySchema,
} from "@flock-ts/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { pageJson, readEventPage } from "../../delivery/event-page.ts";
import { Hub } from "../../delivery/hub.ts";
import type { HubStats } from "../../delivery/hub-stats.ts";
import { cursorOf } from "../../delivery/sse/event-stream-writer.ts";
import { supportedOffers } from "../../delivery/websocket/deflater.ts";
import { DEFAULT_LIMITS } from "../../delivery/websocket/rate-limiter.ts";
import { ERROR_RESPONSES } from "../http/errors.ts";
import { openEventStream, wantsEventStream } from "../http/event-stream-head.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { sendJson } from "../http/send-json.ts";
import { OPEN } from "../security/identity.ts";
import { isSameHost, type Origins } from "../security/origins.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link WebSocketServerComponent}. */
export interface WebSocketServerConfig {
  /** The endpoint is `{prefix}/ws`; missing and extra slashes do not matter. Default `/plugin/`. */
  readonly prefix?: string;
  /** Groups the endpoint in the API documents. Default `["WebSocket"]`. */
  readonly tags?: readonly string[];
  /** Whether the server sends heartbeats. Default false. */
  readonly enableHeartbeat?: boolean;
  /** Seconds between two heartbeats, at least 0.05. A client that is silent for another interval is closed. Default 120. */
  readonly heartbeatInterval?: number;
  /** Lower registers first. Default 7. */
  readonly priority?: number;
  /** How many clients may be connected. Further ones get 503 with `Retry-After`. Default: no limit. */
  readonly maxConnections?: number;
  /** The maximum size of a client message, in bytes. A larger one closes the connection with 1009. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** How many commands a client may send at once after a pause. Default 1,000. */
  readonly commandBurst?: number;
  /**
   * How many commands per second of one client the server executes in the long run. It reads a client that sends more
   * at this rate; no command is lost. Each 16 KiB of a message or its reply count as another command, a `subscribe` with
   * `since` as 100. Default 500.
   */
  readonly commandsPerSecond?: number;
  /** A client over its rate for this long without a second within it is closed with 4429. In seconds. Default 60. */
  readonly overBudgetSeconds?: number;
  /**
   * Whether events are compressed for clients that offer permessage-deflate (RFC 7692), as browsers do. Compression saves
   * most of the bytes and costs CPU time once for all clients that read the same events. Default false.
   */
  readonly compression?: boolean;
}

/** The statistics of the component. Counters start with the server. */
export interface WebSocketStats extends HubStats {
  /** Clients refused before the upgrade: by origin, limit or query. */
  readonly refused: number;
}

const configSchema = z.strictObject({
  prefix: prefixSchema.default("/plugin/"),
  tags: z.array(z.string()).default(["WebSocket"]),
  enableHeartbeat: z.boolean().default(false),
  heartbeatInterval: z.number().min(0.05).max(86_400).default(120),
  priority: z.number().default(7),
  maxConnections: z.int().min(1).optional(),
  maxMessageBytes: z
    .int()
    .min(1)
    .default(1024 * 1024),
  commandBurst: z.int().min(1).default(DEFAULT_LIMITS.commandBurst),
  commandsPerSecond: z.number().min(0.1).default(DEFAULT_LIMITS.commandsPerSecond),
  overBudgetSeconds: z.number().min(0).default(DEFAULT_LIMITS.overBudgetSeconds),
  compression: z.boolean().default(false),
});

/** How long a client should wait when the limit is reached, in seconds. */
const FULL_RETRY_AFTER_S = 5;
/** The TCP keep-alive delay, in ms. Without it, a dead peer is noticed only after minutes. */
const KEEP_ALIVE_MS = 60_000;

const IDLE: WebSocketStats = {
  connections: 0,
  lagging: 0,
  deliveries: 0,
  bytesSent: 0,
  maxLag: 0,
  commands: 0,
  refused: 0,
};

/**
 * Streams all events to clients in real time at `WS {prefix}/ws`: see docs/wire-contract.md. A slow client has a cursor in
 * the log instead of a queue, so no client can slow down an agent.
 *
 * @example
 * await flock.serve({ components: [new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 30 })] });
 */
export class WebSocketServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "websocket";
  #hub: Hub | undefined;
  #refused = 0;

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: WebSocketServerConfig = {}) {
    super(checkOptions("new WebSocketServerComponent", configSchema, config));
  }

  /** The path of the WebSocket endpoint. */
  get path(): string {
    return joinPath(this.config.prefix, "ws");
  }

  /** How many clients are connected. */
  get connectionCount(): number {
    return this.#hub?.connectionCount ?? 0;
  }

  /** Returns the statistics of the component. */
  stats(): WebSocketStats {
    return this.#hub ? { ...this.#hub.stats(), refused: this.#refused } : IDLE;
  }

  override async configure({ app }: ServerContext): Promise<void> {
    if (app.hasDecorator("websocketServer")) return;
    await app.register(fastifyWebsocket, {
      options: {
        maxPayload: this.config.maxMessageBytes,
        // Outgoing messages are compressed once for all clients of a cohort. `ws` negotiates and decompresses incoming ones.
        perMessageDeflate: this.config.compression && {
          serverNoContextTakeover: false,
          // Clients send little: a window for each would cost more memory than it saves in bytes.
          clientNoContextTakeover: true,
        },
        clientTracking: false,
      },
      // An invalid frame closes its connection with a code. The error listener below logs it.
      errorHandler: () => {},
    });
  }

  override registerRoutes({ app, host, log, origins, principalOf }: ServerContext): void {
    const { enableHeartbeat, heartbeatInterval, commandBurst, commandsPerSecond, overBudgetSeconds, maxMessageBytes } =
      this.config;
    const hub = new Hub({
      log: host.log,
      commands: host.wire,
      serverVersion: VERSION,
      heartbeatInterval: enableHeartbeat ? heartbeatInterval : null,
      limits: { commandBurst, commandsPerSecond, overBudgetSeconds },
      maxMessageBytes,
      onFailure: (err, what) => log.error({ err }, what),
    });
    this.#hub = hub;
    app.route({
      method: "GET",
      url: this.path,
      exposeHeadRoute: false,
      // OpenAPI cannot describe WebSockets. /asyncapi.json does.
      schema: { hide: true },
      onRequest: async (request, reply) => {
        try {
          this.#admit(request, reply, origins);
        } catch (error) {
          if (request.ws) this.#refused += 1;
          throw error;
        }
      },
      handler: (request) => {
        throw new FlockError(
          "upgrade_required",
          `Upgrade required: ${request.url} is a WebSocket. Connect with ws:// or wss://.`,
        );
      },
      wsHandler: (websocket, request) => {
        const { socket } = request.raw;
        releaseHandshake(websocket, socket);
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        const from = request.ip;
        log.info({ from, clients: hub.connectionCount + 1 }, "client connected");
        websocket.on("error", (err) => log.warn({ err, from }, "WebSocket connection failed"));
        websocket.on("close", (code) => log.info({ from, code, clients: hub.connectionCount }, "client disconnected"));
        hub.connect(websocket, socket, connectQuerySchema.parse(request.query), principalOf(request));
      },
    });
    app.get(
      joinPath(this.config.prefix, "events"),
      {
        config: { isEventStream: true },
        schema: {
          tags: [...this.config.tags],
          summary: "Read the log as pages or Server-Sent Events",
          description:
            "Returns a page as JSON. With `Accept: text/event-stream`, it streams events: `data` is the same JSON as on the WebSocket, and `id` is the cursor that clients send back as `Last-Event-ID`.",
          querystring: eventsQuerySchema,
          response: { 200: eventPageSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { query } = request;
        const principal = principalOf(request);
        void reply.header("vary", "accept");
        if (!wantsEventStream(request.raw)) {
          sendJson(reply, pageJson(await readEventPage(host.log, query, principal)));
          return reply;
        }
        this.#checkLimit(reply);
        const from = request.ip;
        const socket = openEventStream(reply);
        if (!socket) return undefined;
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        log.info({ from, clients: hub.connectionCount + 1 }, "client connected");
        socket.on("close", () => log.info({ from, clients: hub.connectionCount }, "client disconnected"));
        hub.connectEventStream(socket, { ...query, ...cursorOf(String(request.headers["last-event-id"])) }, principal);
        return undefined;
      },
    );
    app.get(
      joinPath(this.config.prefix, "connections"),
      {
        schema: {
          tags: [...this.config.tags],
          summary: "List connected clients and their lag",
          querystring: connectionsQuerySchema,
          response: { 200: connectionsSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => {
        if (principalOf(request).kind !== "owner") {
          throw new FlockError("not_allowed", "Not allowed: only the owner can list connections.");
        }
        return { connections: hub.connections(request.query.limit), total: hub.connectionCount };
      },
    );
    const document = asyncApiDocument({ path: this.path, version: VERSION, tags: this.config.tags });
    if (!app.hasRoute({ method: "GET", url: "/asyncapi.json" })) {
      app.get("/asyncapi.json", { ...OPEN, schema: { hide: true } }, () => document);
    }
  }

  override async onShutdown(): Promise<void> {
    await this.#hub?.close("the server is shutting down");
  }

  /**
   * Checks a client before the upgrade, so that a plain HTTP response can explain the refusal. A request without an upgrade
   * gets the same answers: browsers hide the response of a failed handshake, so a client asks again over HTTP.
   * @throws FlockError or ZodError when the client is refused.
   */
  #admit(request: FastifyRequest, reply: FastifyReply, origins: Origins): void {
    const { origin, host } = request.headers;
    if (origin !== undefined && !isSameHost(origin, host) && !origins.isAllowed(origin)) {
      throw new FlockError(
        "origin_not_allowed",
        `Origin ${origin} is not allowed to connect to ${host}. Allow it with a CORSComponent; behind a proxy, forward the \`Host\` header.`,
      );
    }
    this.#checkLimit(reply);
    connectQuerySchema.parse(request.query);
    if (!request.ws) {
      void reply.headers({ upgrade: "websocket", connection: "upgrade" });
      return;
    }
    const { headers } = request.raw;
    // `ws` refuses a client if it accepts none of its offers. Without an offer, it connects uncompressed.
    headers["sec-websocket-extensions"] = supportedOffers(headers["sec-websocket-extensions"] ?? "");
  }

  #checkLimit(reply: FastifyReply): void {
    const { maxConnections = Number.POSITIVE_INFINITY } = this.config;
    if (this.connectionCount < maxConnections) return;
    void reply.header("retry-after", FULL_RETRY_AFTER_S);
    throw new FlockError(
      "too_many_connections",
      `Connection limit reached (${maxConnections}). Retry later, or raise \`maxConnections\`.`,
    );
  }
}

/**
 * Releases the handshake. Otherwise its request, response and reply stay in memory as long as the connection, and take
 * more of it than the connection itself.
 */
function releaseHandshake(websocket: WebSocket, socket: Socket & { _httpMessage?: ServerResponse | null }): void {
  socket._httpMessage?.detachSocket(socket);
  websocket.removeAllListeners("error");
}
