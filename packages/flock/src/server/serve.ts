import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { FastifyBaseLogger } from "fastify";
import { z } from "zod";
import { checkOptions, FlockError } from "../core/errors.ts";
import { createApp } from "./app.ts";
import { inOrder } from "./component-order.ts";
import { withDashboard } from "./dashboard.ts";
import type { FlockHost } from "./host.ts";
import { RefusalLog, refuseInvalidHandshakes } from "./refusal-log.ts";
import { checkHostNames, hostsSchema } from "./security/host-names.ts";
import { authenticate, type Identify, principalReader } from "./security/identity.ts";
import { Origins } from "./security/origins.ts";
import { FlockServer } from "./server.ts";
import { ServerComponent, type ServerContext } from "./server-component.ts";
import { shuttingDown } from "./shutdown.ts";
import { trackUpgrades } from "./upgrades.ts";

/** The options of `flock.serve`. */
export interface ServeOptions {
  /** The components of the server: see `flock-ts/components/server`. Default: none. */
  readonly components?: readonly ServerComponent[];
  /** Adds the dashboard at `/` and the components it needs that `components` does not contain. Default false. */
  readonly dashboard?: boolean;
  /** The address to listen on. Default `127.0.0.1`: only this machine. `0.0.0.0` or `::`: all interfaces. */
  readonly host?: string;
  /**
   * The names by which clients reach this server, such as `app.example.com` behind a proxy. Requests for other names are
   * refused, unless they name an address, `localhost`, `host` or an origin that a `CORSComponent` allows. Default: no
   * names when the server listens on loopback only, otherwise any name.
   */
  readonly hosts?: readonly string[];
  /** The port to listen on; 0 selects a free one. Default 8000. */
  readonly port?: number;
  /** The maximum size of a request body, in bytes. A larger one is refused with 413. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /**
   * Authenticates clients: see {@link Identify}. Unknown clients are refused, and each client receives only what its
   * principal may see. Default: every client that can reach the port is the owner and sees everything.
   */
  readonly principal?: Identify;
  /** How long `principal` may take for one request, in seconds. Then the request gets 503. Default 10. */
  readonly principalTimeout?: number;
  /** How many requests may wait for `principal` at once. Further ones get 503 with `Retry-After`. Default 1,000. */
  readonly maxPendingPrincipals?: number;
  /** Waits for SIGINT or SIGTERM, then closes the server and shuts down the flock. Default false. */
  readonly blocking?: boolean;
}

const optionsSchema = z.strictObject({
  components: z
    .array(z.custom<ServerComponent>((value) => value instanceof ServerComponent, "must be a ServerComponent"))
    .default([]),
  dashboard: z.boolean().default(false),
  host: z.string().min(1).default("127.0.0.1"),
  hosts: hostsSchema.optional(),
  port: z.int().min(0).max(65_535).default(8000),
  maxBodyBytes: z
    .int()
    .min(1)
    .default(1024 * 1024),
  principal: z.custom<Identify>((value) => typeof value === "function", "must be a function").optional(),
  principalTimeout: z.number().min(0.001).max(3_600).default(10),
  maxPendingPrincipals: z.int().min(1).default(1_000),
  blocking: z.boolean().default(false),
});

/** How long peers may take to close their connections after the components are shut down, in ms. Then sockets are destroyed. */
const CLOSE_GRACE_MS = 1_000;

/** Starts a server for a flock: see `flock.serve`. */
export async function serve(flock: FlockHost, options: ServeOptions): Promise<FlockServer> {
  const { components, dashboard, host, hosts, port, maxBodyBytes, principal, blocking, ...limits } = checkOptions(
    "flock.serve",
    optionsSchema,
    options,
  );
  const closing = new AbortController();
  const ordered = inOrder(dashboard ? withDashboard(components) : components);
  const log: FastifyBaseLogger = flock.logger.child({ part: "server" });
  const refusals = new RefusalLog(log);
  const app = await createApp(log, { bodyLimit: maxBodyBytes, closing: closing.signal, refusals });
  const origins = new Origins();
  const principalOf = principalReader(app, principal);
  const context: ServerContext = { host: flock, app, components: ordered, log, origins, principalOf };
  const destroySockets = trackUpgrades(app);
  const started: ServerComponent[] = [];
  const end = async () => {
    closing.abort(shuttingDown());
    for (const component of started.reverse()) {
      try {
        await component.onShutdown(context);
      } catch (err) {
        log.error({ err, component: component.name }, "failed to shut down a component");
      }
    }
    const cut = setTimeout(destroySockets, CLOSE_GRACE_MS);
    await app.close();
    clearTimeout(cut);
    refusals.end();
  };
  try {
    for (const component of ordered.values()) await component.configure(context);
    refuseInvalidHandshakes(app, refusals);
    checkHostNames(app, { host, hosts, origins });
    // After the hooks of components: a preflight request of a browser carries no credentials.
    authenticate(app, principal, {
      timeout: limits.principalTimeout,
      maxPending: limits.maxPendingPrincipals,
      closing: closing.signal,
    });
    for (const component of ordered.values()) await component.registerRoutes(context);
    await app.ready();
    for (const component of ordered.values()) {
      started.push(component);
      await component.onStartup(context);
    }
    await app.listen({ host, port });
  } catch (error) {
    await end();
    throw explain(error, host, port);
  }
  const server = new FlockServer(host, (app.server.address() as AddressInfo).port, ordered, end);
  if (blocking) {
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.close();
    await flock.shutdown();
  }
  return server;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the user may not open that port. Use port 1024 or higher",
  EADDRNOTAVAIL: "this machine does not have that address",
  ENOTFOUND: "the host name cannot be resolved",
  EAI_AGAIN: "the host name cannot be resolved",
};

function explain(error: unknown, host: string, port: number): unknown {
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new FlockError(
      "address_in_use",
      `Cannot listen on port ${port} of ${host}: another program uses it. Choose another port, or 0 for a free one.`,
      { cause: error },
    );
  }
  const reason = REASONS[code] ?? (syscall === "listen" ? (error as Error).message : undefined);
  if (!reason) return error;
  return new FlockError("cannot_listen", `Cannot listen on port ${port} of ${host}: ${reason}.`, { cause: error });
}
