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
import { Hub, type HubStats } from "../../delivery/hub.ts";
import { placeOf } from "../../delivery/sse/event-stream-writer.ts";
import { offersDeflate, WINDOW_BITS } from "../../delivery/websocket/deflater.ts";
import { DEFAULT_LIMITS } from "../../delivery/websocket/rate-limiter.ts";
import { ERROR_RESPONSES } from "../http/errors.ts";
import { openEventStream, wantsEventStream } from "../http/event-stream-head.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { sendJson } from "../http/send-json.ts";
import { OPEN } from "../security/identity.ts";
import { isSameHost, type OriginPolicy, policyOf } from "../security/origin.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** What a {@link WebSocketServerComponent} can be told. */
export interface WebSocketServerConfig {
  /** The endpoint is `{prefix}/ws`, slashes joined rightly. Default `/plugin/`. */
  readonly prefix?: string;
  /** Groups the endpoint in the API documents. Default `["WebSocket"]`. */
  readonly tags?: readonly string[];
  /** Whether clients are asked for a sign of life. Default false. */
  readonly enableHeartbeat?: boolean;
  /** Seconds between two heartbeats, from 0.05. A client that answers none for one further interval is closed. Default 120. */
  readonly heartbeatInterval?: number;
  /** Lower registers first. Default 7. */
  readonly priority?: number;
  /** More clients than this are told to come back later (503). Default: no limit. */
  readonly maxConnections?: number;
  /** A larger message of a client closes its connection with 1009. Bytes; default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** How many commands of one client may come at once, after silence. Default 1,000. */
  readonly commandBurst?: number;
  /**
   * How many commands of one client are done in a second in the long run; one that sends more is read more slowly, and
   * loses nothing. Each 16 KiB of a message or its reply count as one more command, a `subscribe` with `since` as 100. Default 500.
   */
  readonly commandsPerSecond?: number;
  /** A client that has to be slowed down in every second of so many is closed with 4429. Default 60. */
  readonly overBudgetSeconds?: number;
  /**
   * Whether events are compressed for clients that offer permessage-deflate (RFC 7692), as browsers do. It saves most of
   * the bytes, and costs the server CPU time once for all who read the same. Default false.
   */
  readonly compression?: boolean;
}

/** What the component does, in numbers. Counters count from the server's start. */
export interface WebSocketStats extends HubStats {
  /** Clients that were refused before the upgrade: by origin, limit or query. */
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

/** How long a client that found the server full should stay away, in seconds. */
const FULL_RETRY_AFTER_S = 5;
/** Browsers notice a dead server by themselves only after minutes; so do we without this. In ms. */
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
 * Sends everything that happens to every client the moment it happens, at `WS {prefix}/ws`: the wire contract is in
 * docs/wire-contract.md. No client can slow an agent, and a slow one is not queued for: it is a cursor in the log.
 *
 * @example
 * await flock.serve({ components: [new WebSocketServerComponent({ enableHeartbeat: true, heartbeatInterval: 30 })] });
 */
export class WebSocketServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "websocket";
  #hub: Hub | undefined;
  #refused = 0;

  /** @throws FlockError `invalid_options`, naming each wrong option. */
  constructor(config: WebSocketServerConfig = {}) {
    super(checkOptions("new WebSocketServerComponent", configSchema, config));
  }

  /** Where clients connect. */
  get path(): string {
    return joinPath(this.config.prefix, "ws");
  }

  /** How many clients are connected. */
  get connectionCount(): number {
    return this.#hub?.connectionCount ?? 0;
  }

  /** What the component does, in numbers. */
  stats(): WebSocketStats {
    return this.#hub ? { ...this.#hub.stats(), refused: this.#refused } : IDLE;
  }

  override async configure({ app }: ServerContext): Promise<void> {
    if (app.hasDecorator("websocketServer")) return;
    await app.register(fastifyWebsocket, {
      options: {
        maxPayload: this.config.maxMessageBytes,
        // What we send is compressed once for all who read the same; `ws` negotiates, and reads what clients send.
        perMessageDeflate: this.config.compression && {
          serverNoContextTakeover: false,
          serverMaxWindowBits: WINDOW_BITS,
          // Clients say little: a window for each of them would take more memory than it saves bytes.
          clientNoContextTakeover: true,
        },
        clientTracking: false,
      },
      // A broken frame ends its connection with a close code, and is logged below.
      errorHandler: () => {},
    });
  }

  override registerRoutes({ app, components, host, log, principalOf }: ServerContext): void {
    const { enableHeartbeat, heartbeatInterval, commandBurst, commandsPerSecond, overBudgetSeconds } = this.config;
    const hub = new Hub({
      log: host.log,
      target: host.wire,
      serverVersion: VERSION,
      heartbeatInterval: enableHeartbeat ? heartbeatInterval : null,
      limits: { commandBurst, commandsPerSecond, overBudgetSeconds },
      onFailure: (err, what) => log.error({ err }, what),
    });
    this.#hub = hub;
    app.route({
      method: "GET",
      url: this.path,
      exposeHeadRoute: false,
      // OpenAPI has no words for it; /asyncapi.json describes it.
      schema: { hide: true },
      onRequest: async (request, reply) => {
        try {
          this.#admit(request, reply, policyOf(components));
        } catch (error) {
          this.#refused += 1;
          throw error;
        }
      },
      handler: (request) => {
        throw new FlockError("upgrade_required", `${request.url} is a WebSocket: connect with ws:// or wss://`);
      },
      wsHandler: (websocket, request) => {
        const { socket } = request.raw;
        releaseHandshake(websocket, socket);
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        const from = request.ip;
        log.info({ from, clients: hub.connectionCount + 1 }, "a client has connected");
        websocket.on("error", (err) =>
          log.warn({ err, from }, "a client broke the WebSocket protocol, or its network"),
        );
        websocket.on("close", (code) =>
          log.info({ from, code, clients: hub.connectionCount }, "a client has disconnected"),
        );
        hub.connect(websocket, socket, connectQuerySchema.parse(request.query), principalOf(request));
      },
    });
    app.get(
      joinPath(this.config.prefix, "events"),
      {
        schema: {
          tags: [...this.config.tags],
          summary: "The log, page by page, or as Server-Sent Events",
          description:
            "One page as JSON. With `Accept: text/event-stream`, events as they happen: `data` is the JSON of the WebSocket, `id` the place to go on from, which `Last-Event-ID` says.",
          querystring: eventsQuerySchema,
          response: { 200: eventPageSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { query } = request;
        const principal = principalOf(request);
        void reply.header("vary", "accept");
        if (!wantsEventStream(request)) {
          sendJson(reply, pageJson(await readEventPage(host.log, query, principal)));
          return reply;
        }
        this.#assertRoom(reply);
        const from = request.ip;
        log.info({ from, clients: hub.connectionCount + 1 }, "a client has connected");
        const socket = openEventStream(reply);
        socket.on("close", () => log.info({ from, clients: hub.connectionCount }, "a client has disconnected"));
        hub.connectEventStream(socket, { ...query, ...placeOf(String(request.headers["last-event-id"])) }, principal);
        return undefined;
      },
    );
    app.get(
      joinPath(this.config.prefix, "connections"),
      {
        schema: {
          tags: [...this.config.tags],
          summary: "Who is connected, and how far behind",
          querystring: connectionsQuerySchema,
          response: { 200: connectionsSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => {
        if (principalOf(request).kind !== "owner") {
          throw new FlockError("not_allowed", "connections tell who else is here: they are for the owner of the flock");
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

  /** @throws FlockError or ZodError when this client cannot come in; before the upgrade, so that plain HTTP says why. */
  #admit(request: FastifyRequest, reply: FastifyReply, policy: OriginPolicy | undefined): void {
    if (!request.ws) {
      void reply.headers({ upgrade: "websocket", connection: "upgrade" });
      return;
    }
    const { origin, host } = request.headers;
    if (origin !== undefined && !isSameHost(origin, host) && !policy?.isOriginAllowed(origin)) {
      throw new FlockError(
        "origin_not_allowed",
        `pages from ${origin} may not connect to ${host}: allow the origin with a CORSComponent, or when a proxy stands between, let it pass the Host header on`,
      );
    }
    this.#assertRoom(reply);
    connectQuerySchema.parse(request.query);
    const { "sec-websocket-extensions": extensions } = request.raw.headers;
    // `ws` would refuse a client all of whose offers it cannot take; without an offer, nothing is compressed.
    if (extensions !== undefined && !offersDeflate(extensions)) delete request.raw.headers["sec-websocket-extensions"];
  }

  #assertRoom(reply: FastifyReply): void {
    const { maxConnections = Number.POSITIVE_INFINITY } = this.config;
    if (this.connectionCount < maxConnections) return;
    void reply.header("retry-after", FULL_RETRY_AFTER_S);
    throw new FlockError(
      "too_many_connections",
      `this server has its ${maxConnections} clients: try again later, or raise maxConnections`,
    );
  }
}

/**
 * Lets go of the handshake: request, response and reply would stay for as long as the connection does, which is more
 * memory than the connection itself takes.
 */
function releaseHandshake(websocket: WebSocket, socket: Socket & { _httpMessage?: ServerResponse | null }): void {
  socket._httpMessage?.detachSocket(socket);
  websocket.removeAllListeners("error");
}
