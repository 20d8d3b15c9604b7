import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "@flock-ts/protocol";
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { FlockHost } from "./host.ts";

/** The Fastify application that components add routes to. Schemas of routes are Zod schemas. */
export type ServerApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What a component works with. */
export interface ServerContext {
  /** The flock. Read it with `host.as(principalOf(request))`, which returns only what the client may see. */
  readonly host: FlockHost;
  readonly app: ServerApp;
  /** All components of this server by name, in the order in which they register. */
  readonly components: ReadonlyMap<string, ServerComponent>;
  readonly log: FastifyBaseLogger;
  /**
   * Who a request is from; the owner where the server asks nobody.
   * @throws Error on a route with `config: { isOpen: true }`, where nobody is asked.
   */
  readonly principalOf: (request: FastifyRequest) => Principal;
}

/** The options that the server itself reads; a component adds its own. */
export interface ComponentConfig {
  /** Lower registers first; default 50. */
  readonly priority?: number | undefined;
  /** Where the component's routes begin. */
  readonly prefix?: string | undefined;
  /** Groups the component's routes in the API documents. */
  readonly tags?: readonly string[] | undefined;
}

/** Between the components that others build on (below 10) and those that take what is left (above 90). */
const DEFAULT_PRIORITY = 50;

/**
 * A part of the server: some routes, and what has to run behind them.
 *
 * A server takes its components through four steps, each for all components in order of `priority` before the next
 * step begins: `configure` (hooks and plugins that concern every route), `registerRoutes`, `onStartup`, and at the
 * end, in reverse order, `onShutdown`.
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
  /** What other components and `server.component(name)` call it. One server has one component of a name. */
  abstract readonly name: string;
  /** Lower registers first; components of equal priority keep the order in which they were given. */
  readonly priority: number;
  readonly config: Config;

  constructor(config: Config = {} as Config) {
    this.config = config;
    this.priority = config.priority ?? DEFAULT_PRIORITY;
  }

  /** Names of the components that this one cannot do without. */
  getDependencies(): readonly string[] {
    return [];
  }

  /** Adds hooks and plugins that concern the routes of every component. No route exists yet. */
  configure(_context: ServerContext): void | Promise<void> {}

  /** Adds this component's own routes. */
  registerRoutes(_context: ServerContext): void | Promise<void> {}

  /** Starts what runs behind the routes. The server does not listen yet; when this throws, it never will. */
  onStartup(_context: ServerContext): void | Promise<void> {}

  /** Ends what `onStartup` started. New requests are already refused; open connections still stand. */
  onShutdown(_context: ServerContext): void | Promise<void> {}
}
