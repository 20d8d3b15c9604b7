import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "@flock-ts/protocol";
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { FlockHost } from "./host.ts";
import type { Origins } from "./security/origins.ts";

/** The Fastify application that components add routes to. Schemas of routes are Zod schemas. */
export type ServerApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What a component receives in each of its steps. */
export interface ServerContext {
  /** The flock. Read it with `host.as(principalOf(request))`, which returns only what the client may see. */
  readonly host: FlockHost;
  readonly app: ServerApp;
  /** The components of this server by name, in the order in which they register. */
  readonly components: ReadonlyMap<string, ServerComponent>;
  readonly log: FastifyBaseLogger;
  /** The foreign origins that may use the server. */
  readonly origins: Origins;
  /**
   * Returns the principal of a request: the owner when the server does not authenticate.
   * @throws Error on a route with `config: { isOpen: true }` of a server that authenticates.
   */
  readonly principalOf: (request: FastifyRequest) => Principal;
}

/** The options that the server reads. Components add their own. */
export interface ComponentConfig {
  /** Lower registers first. Default 50. */
  readonly priority?: number | undefined;
  /** The path prefix of the component's routes. */
  readonly prefix?: string | undefined;
  /** Groups the component's routes in the API documents. */
  readonly tags?: readonly string[] | undefined;
}

/** Above the components that others depend on (below 10), and below those that handle all remaining routes (above 90). */
const DEFAULT_PRIORITY = 50;

/**
 * A part of the server: routes, and the work behind them.
 *
 * The server runs four steps, each for all components in order of `priority` before the next step begins: `configure`
 * (hooks and plugins for all routes), `registerRoutes`, `onStartup`, and at the end, in reverse order, `onShutdown`.
 *
 * @example
 * class Hello extends ServerComponent {
 *   readonly name = "hello";
 *   override registerRoutes({ app }: ServerContext) {
 *     app.get("/hello", () => ({ hello: "world" }));
 *   }
 * }
 */
export abstract class ServerComponent<Config extends ComponentConfig = ComponentConfig> {
  /** The name for `getDependencies` and `server.component(name)`, unique in a server. */
  abstract readonly name: string;
  /** Lower registers first. Components of equal priority register in the order given. */
  readonly priority: number;
  readonly config: Config;

  constructor(config: Config = {} as Config) {
    this.config = config;
    this.priority = config.priority ?? DEFAULT_PRIORITY;
  }

  /** Returns the names of the components that this one requires. */
  getDependencies(): readonly string[] {
    return [];
  }

  /** Adds hooks and plugins for the routes of all components. No route exists yet. */
  configure(_context: ServerContext): void | Promise<void> {}

  /** Adds the component's routes. */
  registerRoutes(_context: ServerContext): void | Promise<void> {}

  /** Starts the work behind the routes, before the server listens. If it throws, the server does not start. */
  onStartup(_context: ServerContext): void | Promise<void> {}

  /** Stops the work behind the routes. Open connections are still open. */
  onShutdown(_context: ServerContext): void | Promise<void> {}
}
