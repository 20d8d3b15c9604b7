import { healthSchema } from "@flock-ts/protocol";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { FlockStats } from "../../runtime/stats.ts";
import { OPEN } from "../security/identity.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";
import type { WebSocketStats } from "./websocket.ts";

/** The options of {@link HealthAndMetricsComponent}. */
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

/** A component with statistics about clients: see `WebSocketServerComponent`. */
interface CountsDeliveries {
  stats(): WebSocketStats;
}

/** Serves `GET /health` for supervisors and `GET /metrics` for Prometheus. */
export class HealthAndMetricsComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "health";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: HealthAndMetricsConfig = {}) {
    super(checkOptions("new HealthAndMetricsComponent", configSchema, config));
  }

  override registerRoutes({ app, host, components, principalOf }: ServerContext): void {
    const { tags } = this.config;
    app.get(
      "/health",
      { ...OPEN, schema: { tags, summary: "Check that the server responds", response: { 200: healthSchema } } },
      () => ({ status: "ok" as const }),
    );
    const websocket = components.get("websocket") as (ServerComponent & Partial<CountsDeliveries>) | undefined;
    const metrics = metricsOf(() => ({ flock: host.stats(), live: websocket?.stats?.() }));
    app.get(
      "/metrics",
      { schema: { tags, summary: "Get metrics in the Prometheus text format" } },
      async (request, reply) => {
        if (principalOf(request).kind !== "owner")
          throw new FlockError("not_allowed", "Not allowed: metrics cover all clients. Only the owner can read them.");
        const text = await metrics();
        return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(text);
      },
    );
  }
}

/** The numbers behind the metrics. */
interface Reading {
  readonly flock: FlockStats;
  readonly live: WebSocketStats | undefined;
}

/**
 * Creates the metrics and returns a function that writes them as text. All of them come from one reading. Each server has
 * its own registry, so that two servers in one process do not add up.
 */
function metricsOf(read: () => Reading): () => Promise<string> {
  let { flock, live } = read();
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
  // The counts are kept elsewhere.
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
  gauge("flock_websocket_connections", "Connected clients.", () => live?.connections ?? 0);
  gauge("flock_websocket_lagging", "Connected clients that are behind the head of the log.", () => live?.lagging ?? 0);
  gauge(
    "flock_websocket_max_lag_events",
    "Events not yet sent to the client with the largest lag.",
    () => live?.maxLag ?? 0,
  );
  counter(
    "flock_websocket_deliveries_total",
    "Events sent to clients, counted per client.",
    () => live?.deliveries ?? 0,
  );
  counter("flock_websocket_sent_bytes_total", "Bytes written to client sockets.", () => live?.bytesSent ?? 0);
  counter("flock_websocket_commands_total", "Commands received from clients.", () => live?.commands ?? 0);
  counter("flock_websocket_refused_total", "Clients refused before the upgrade.", () => live?.refused ?? 0);
  counter("flock_events_total", "Events committed.", () => flock.events);
  gauge("flock_log_head_seq", "Seq of the newest event.", () => flock.head);
  gauge("flock_log_oldest_seq", "Seq of the oldest event kept.", () => flock.oldest);
  gauge("flock_log_buffer_bytes", "Memory used by the log buffer.", () => flock.logBufferBytes);
  if (flock.storeBytes !== undefined) {
    gauge("flock_store_bytes", "Disk space used by the store.", () => flock.storeBytes ?? 0);
  }
  counter("flock_commits_failed_total", "Commits that failed and changed nothing.", () => flock.failedCommits);
  gauge("flock_runs_running", "Runs in progress.", () => flock.runs.running);
  gauge("flock_runs_queued", "Runs that wait to start.", () => flock.runs.queued);
  gauge("flock_orphaned_runs", "Queued runs whose agent is not declared.", () => flock.orphans.runs);
  gauge(
    "flock_orphaned_artifacts",
    "Artifacts in gates that are gone or no longer accept them.",
    () => flock.orphans.artifacts,
  );
  counter("flock_runs_started_total", "Runs started.", () => flock.runs.started);
  new Counter({
    name: "flock_runs_ended_total",
    help: "Runs ended, by final status.",
    labelNames: ["status"],
    registers: [registry],
    collect() {
      this.reset();
      for (const status of ["success", "error", "cancelled", "timeout", "interrupted"] as const) {
        this.inc({ status }, flock.runs[status]);
      }
    },
  });
  return () => {
    ({ flock, live } = read());
    return registry.metrics();
  };
}
