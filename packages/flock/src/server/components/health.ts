import { healthSchema } from "@flock-ts/protocol";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { FlockHost } from "../host.ts";
import { OPEN } from "../security/identity.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";
import type { WebSocketStats } from "./websocket.ts";

/** What a {@link HealthAndMetricsComponent} can be told. */
export interface HealthAndMetricsConfig {
  /** Groups its routes in the API documents. Default `["Health"]`. */
  readonly tags?: readonly string[];
  /** Lower registers first. Default 5. */
  readonly priority?: number;
}

const configSchema = z.strictObject({
  tags: z.array(z.string()).default(["Health"]),
  priority: z.number().default(5),
});

/** A component that counts what it sends: see `WebSocketServerComponent`. */
interface CountsDeliveries {
  stats(): WebSocketStats;
}

/** `GET /health` for whoever restarts servers, `GET /metrics` for Prometheus. */
export class HealthAndMetricsComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "health";

  /** @throws FlockError `invalid_options`, naming each wrong option. */
  constructor(config: HealthAndMetricsConfig = {}) {
    super(checkOptions("new HealthAndMetricsComponent", configSchema, config));
  }

  override registerRoutes({ app, host, components, principalOf }: ServerContext): void {
    const { tags } = this.config;
    app.get(
      "/health",
      { ...OPEN, schema: { tags, summary: "Whether the server answers", response: { 200: healthSchema } } },
      () => ({ status: "ok" as const }),
    );
    const websocket = components.get("websocket") as (ServerComponent & Partial<CountsDeliveries>) | undefined;
    const metrics = metricsOf(host, () => websocket?.stats?.());
    app.get(
      "/metrics",
      { schema: { tags, summary: "Figures in the text format of Prometheus" } },
      async (request, reply) => {
        if (principalOf(request).kind !== "owner")
          throw new FlockError("not_allowed", "metrics count what everybody does: they are for the owner of the flock");
        const text = await metrics.metrics();
        return reply.type(metrics.contentType).send(text);
      },
    );
  }
}

/** A registry of this server's own: two servers in one process do not add up. */
function metricsOf(host: FlockHost, live: () => WebSocketStats | undefined): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  // prom-client counts by itself; what is counted elsewhere is read when somebody asks.
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  gauge("flock_websocket_connections", "Clients that are connected.", () => live()?.connections ?? 0);
  gauge("flock_websocket_lagging", "Clients that are behind.", () => live()?.lagging ?? 0);
  gauge(
    "flock_websocket_max_lag_events",
    "Events that the client furthest behind has yet to be sent.",
    () => live()?.maxLag ?? 0,
  );
  counter("flock_websocket_deliveries_total", "Events sent, over all clients.", () => live()?.deliveries ?? 0);
  counter("flock_websocket_sent_bytes_total", "Bytes handed to sockets.", () => live()?.bytesSent ?? 0);
  counter("flock_websocket_commands_total", "Commands received.", () => live()?.commands ?? 0);
  counter("flock_websocket_refused_total", "Clients refused before the upgrade.", () => live()?.refused ?? 0);
  counter("flock_events_total", "Events committed.", () => host.stats().events);
  gauge("flock_log_head_seq", "The newest seq.", () => host.stats().head);
  gauge("flock_log_oldest_seq", "The oldest seq that clients can resume from.", () => host.stats().oldest);
  gauge("flock_tail_bytes", "Memory that the newest events take.", () => host.stats().logBufferBytes);
  if (host.stats().storeBytes !== undefined) {
    gauge("flock_store_bytes", "Disk space that the store takes.", () => host.stats().storeBytes ?? 0);
  }
  counter("flock_commits_failed_total", "Commits of which nothing has happened.", () => host.stats().failedCommits);
  gauge("flock_runs_running", "Runs that go on.", () => host.stats().runs.running);
  gauge("flock_runs_queued", "Runs that wait.", () => host.stats().runs.queued);
  counter("flock_runs_started_total", "Runs that have begun.", () => host.stats().runs.started);
  new Counter({
    name: "flock_runs_ended_total",
    help: "Runs that have ended, by how they ended.",
    labelNames: ["status"],
    registers: [registry],
    collect() {
      this.reset();
      const { runs } = host.stats();
      for (const status of ["success", "error", "cancelled", "timeout", "interrupted"] as const) {
        this.inc({ status }, runs[status]);
      }
    },
  });
  return registry;
}
