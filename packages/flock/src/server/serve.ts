import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { checkOptions, FlockError } from "../core/errors.ts";
import { createApp } from "./app.ts";
import { inOrder } from "./component-order.ts";
import { withDashboard } from "./dashboard.ts";
import type { FlockHost } from "./host.ts";
import { answerByName, hostsSchema } from "./security/host-names.ts";
import { askWho, type Identify, principalOf } from "./security/identity.ts";
import { FlockServer } from "./server.ts";
import { ServerComponent, type ServerContext } from "./server-component.ts";
import { trackUpgrades } from "./upgrades.ts";

/** What `flock.serve` can be told. */
export interface ServeOptions {
  /** The parts of the server; see `flock-ts/components/server`. Default: none. */
  readonly components?: readonly ServerComponent[];
  /** Adds the dashboard at `/`, and every component that it needs and that is not among `components`. Default false. */
  readonly dashboard?: boolean;
  /** Where to listen. Default `127.0.0.1`: only this machine. `0.0.0.0` or `::`: everyone who can reach it. */
  readonly host?: string;
  /**
   * Names by which others reach this server, such as `app.example.com` when a proxy stands before it. A request for another one
   * is refused, unless it names an address, `localhost`, `host`, or what a `CORSComponent` allows. Default: none when it
   * listens on this machine alone, else any name.
   */
  readonly hosts?: readonly string[];
  /** Default 8000. 0 takes a free one. */
  readonly port?: number;
  /** A request with a larger body is refused with 413. Bytes; default 1 MiB, as for a WebSocket message. */
  readonly maxBodyBytes?: number;
  /**
   * Says who a client is: see {@link Identify}. Each is given what it may see, and nobody comes in who is not known.
   * Default: everybody who can reach the port is the owner and sees everything.
   */
  readonly principal?: Identify;
  /** How long `principal` may take for one request, in seconds. After that the request gets 503. Default 10. */
  readonly principalTimeout?: number;
  /** How many requests may wait for `principal` at once. One more gets 503 with `Retry-After`. Default 1,000. */
  readonly maxPendingPrincipals?: number;
  /** Waits for SIGINT or SIGTERM, then closes the server and shuts the flock down. Default false. */
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

/** How long peers have to close their connections after the components are shut down, in ms. The rest is destroyed. */
const CLOSE_GRACE_MS = 1_000;

/** Serves a flock: see `flock.serve`. */
export async function serve(flock: FlockHost, options: ServeOptions): Promise<FlockServer> {
  const { components, dashboard, host, hosts, port, maxBodyBytes, principal, blocking, ...limits } = checkOptions(
    "flock.serve",
    optionsSchema,
    options,
  );
  const ordered = inOrder(dashboard ? withDashboard(components) : components);
  const app = await createApp(flock.logger, maxBodyBytes);
  const context: ServerContext = { host: flock, app, components: ordered, log: app.log, principalOf };
  const destroySockets = trackUpgrades(app);
  const started: ServerComponent[] = [];
  const end = async () => {
    for (const component of started.reverse()) {
      try {
        await component.onShutdown(context);
      } catch (err) {
        app.log.error({ err }, `component "${component.name}" did not shut down well`);
      }
    }
    const cut = setTimeout(destroySockets, CLOSE_GRACE_MS);
    await app.close();
    clearTimeout(cut);
  };
  try {
    for (const component of ordered.values()) await component.configure(context);
    answerByName(app, { host, hosts, components: ordered });
    // After the hooks that answer a browser's question whether it may ask at all.
    askWho(app, principal, { timeout: limits.principalTimeout, maxPending: limits.maxPendingPrincipals });
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
  EACCES: "this user may not use that port: take one from 1024 on",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "there is no such host",
};

function explain(error: unknown, host: string, port: number): unknown {
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new FlockError(
      "address_in_use",
      `port ${port} on ${host} is taken by another program: choose another port, or 0 for a free one`,
      { cause: error },
    );
  }
  const reason = REASONS[code] ?? (syscall === "listen" ? (error as Error).message : undefined);
  if (!reason) return error;
  return new FlockError("cannot_listen", `cannot listen on port ${port} of ${host}: ${reason}`, { cause: error });
}
