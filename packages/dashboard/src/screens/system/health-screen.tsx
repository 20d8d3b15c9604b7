import { useEffect, useState } from "react";
import type { DashboardConfig } from "../../connection/config.ts";
import { connectionWords } from "../../connection/status.ts";
import { fromBase } from "../../router/base.ts";
import { session, useSession } from "../../session/tab-session.ts";
import { Fact } from "../../ui/fact.tsx";
import { clock, duration } from "../../ui/format.ts";
import { Chart } from "./chart.tsx";
import { type Connected, Connections, readConnections } from "./connections.tsx";
import { metricsOf, rateOf, type Sample } from "./metrics.ts";

/**
 * The sampling interval in ms; the delay of the second sample, since a rate needs two; the number of samples kept:
 * ten minutes.
 */
const LOOK_MS = 2_000;
const SOON_MS = 500;
const KEPT = 300;

/** The health of the server, the connections and this page. */
export default function HealthScreen() {
  const file = useSession(({ file }) => file);
  const config = useSession(({ config }) => config);
  const { samples, connected, error } = useSamples(file === null ? config : null);
  const newest = samples.at(-1);
  const figure = (name: string) => newest && (newest.metrics.get(name) ?? 0);
  if (file !== null) {
    return <p className="p-10 text-center text-soft">Not available for event files: there is no server.</p>;
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <div tabIndex={0} className="h-full overflow-y-auto -outline-offset-2">
      <div className="mx-auto flex max-w-6xl flex-col gap-6 p-4 md:p-6">
        <h1 className="sr-only">Health</h1>
        <section aria-label="Server">
          <div className="mb-2 flex flex-wrap gap-x-3 text-sm">
            <h2 className="font-medium text-soft">Server</h2>
            {error && (
              <p role="alert" className="text-busy">
                Failed to load the server metrics: {error}. Retrying every 2 s.
              </p>
            )}
          </div>
          <dl className="mb-4 flex flex-wrap gap-x-8 gap-y-3">
            <Fact name="Connections">{count(figure("flock_websocket_connections"))}</Fact>
            <Fact name="Connections behind">{count(figure("flock_websocket_lagging"))}</Fact>
            <Fact name="Largest lag">{events(figure("flock_websocket_max_lag_events"))}</Fact>
            <Fact name="Running runs">{count(figure("flock_runs_running"))}</Fact>
            <Fact name="Queued runs">{count(figure("flock_runs_queued"))}</Fact>
            <Fact name="Failed runs">{count(newest && failedOf(newest))}</Fact>
            <Fact name="Failed commits">{count(figure("flock_commits_failed_total"))}</Fact>
            <Fact name="Log">{seqs(figure("flock_log_oldest_seq"), figure("flock_log_head_seq"))}</Fact>
          </dl>
          <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            <Rate samples={samples} name="Events/s" of="flock_events_total" />
            <Rate samples={samples} name="Runs started/s" of="flock_runs_started_total" />
            <Rate samples={samples} name="Events sent/s" of="flock_websocket_deliveries_total" />
            <Rate samples={samples} name="Bytes sent/s" of="flock_websocket_sent_bytes_total" />
            <Level samples={samples} name="Memory (MB)" of="process_resident_memory_bytes" unit={1_000_000} />
            <Level samples={samples} name="Event loop lag (ms)" of="nodejs_eventloop_lag_p99_seconds" unit={0.001} />
          </div>
        </section>
        <ThisPage samples={samples} />
        {connected && <Connections {...connected} />}
      </div>
    </div>
  );
}

/** Samples the server's metrics while the component is mounted. */
function useSamples(config: DashboardConfig | null) {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const [connected, setConnected] = useState<Connected | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    if (!config) return;
    let isCurrent = true;
    const look = async () => {
      if (document.hidden) return;
      const began = performance.now();
      const answer = session.call("ping", undefined as never).then(
        () => performance.now() - began,
        () => null,
      );
      try {
        const [response, connected] = await Promise.all([fetch(fromBase("/metrics")), readConnections(config)]);
        if (!response.ok) throw new Error(`/metrics returned ${response.status}`);
        const metrics = metricsOf(await response.text());
        const sample = { at: Date.now(), metrics, latency: await answer };
        if (!isCurrent) return;
        setError(null);
        setConnected(connected);
        setSamples((before) => [...before, sample].slice(-KEPT));
      } catch (reason) {
        if (isCurrent) setError((reason as Error).message);
      }
    };
    void look();
    const soon = setTimeout(() => void look(), SOON_MS);
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => {
      isCurrent = false;
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [config]);
  return { samples, connected, error };
}

interface FigureProps {
  readonly samples: readonly Sample[];
  readonly name: string;
  readonly of: string;
}

function Rate({ samples, name, of }: FigureProps) {
  const times = samples.map(({ at }) => at / 1_000);
  const values = samples.map((sample, index) => {
    const before = samples[index - 1];
    return before ? rateOf(before, sample, of) : null;
  });
  const now = values.at(-1);
  return <Chart name={name} now={now == null ? "–" : count(now)} times={times} values={values} />;
}

function Level({ samples, name, of, unit }: FigureProps & { unit: number }) {
  const values = samples.map(({ metrics }) => (metrics.has(of) ? (metrics.get(of) as number) / unit : null));
  const now = values.at(-1);
  return (
    <Chart
      name={name}
      now={now == null ? "–" : count(now)}
      times={samples.map(({ at }) => at / 1_000)}
      values={values}
    />
  );
}

/** The part of the log that this page has, and its distance from the server. */
function ThisPage({ samples }: { samples: readonly Sample[] }) {
  const connection = useSession(({ connection }) => connection);
  const complete = useSession(({ complete }) => complete);
  const offlineSince = useSession(({ offlineSince }) => offlineSince);
  const last = useSession(({ last }) => last);
  const first = useSession(({ first }) => first);
  const gaps = useSession(({ gaps }) => gaps);
  const breaks = useSession(({ breaks }) => breaks);
  const kept = useSession(({ log }) => log.length);
  const latency = samples.at(-1)?.latency;
  return (
    <section aria-label="This page">
      <h2 className="mb-2 text-sm font-medium text-soft">This page</h2>
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        <Fact name="Connection">{connectionWords({ connection, complete, last, offlineSince }, Date.now())}</Fact>
        <Fact name="Round-trip time">{latency == null ? "–" : duration(latency)}</Fact>
        <Fact name="Events loaded">{count(kept)}</Fact>
        <Fact name="Seqs">{seqs(first, last)}</Fact>
        <Fact name="Behind server">{events(Math.max(0, connection.head - last))}</Fact>
        <Fact name="Reconnects">{count(breaks.length)}</Fact>
        <Fact name="Log">
          <span className="font-mono text-xs" title="Epoch: changes when the server starts a new log">
            {connection.epoch ?? "–"}
          </span>
        </Fact>
      </dl>
      <h3 className="mt-5 mb-1 text-sm font-medium text-soft">Missing events</h3>
      {gaps.length === 0 ? (
        <p className="text-sm">
          {!complete
            ? "Still loading."
            : last < first
              ? "None: no events yet."
              : `None: every event since seq ${count(first)} is loaded.`}
        </p>
      ) : (
        <ul className="text-sm tabular-nums">
          {gaps.map(({ from_seq, to_seq }) => (
            <li key={from_seq}>
              {count(to_seq - from_seq + 1)} events, from seq {count(from_seq)} to {count(to_seq)}: no longer retained
              when this page reconnected.
            </li>
          ))}
        </ul>
      )}
      {breaks.length > 0 && (
        <>
          <h3 className="mt-5 mb-1 text-sm font-medium text-soft">Disconnects</h3>
          <ul className="text-sm tabular-nums">
            {breaks.map(({ at, reason }) => (
              <li key={at}>
                {clock(new Date(at).toISOString())} {reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function failedOf({ metrics }: Sample): number {
  const ended = (status: string) => metrics.get(`flock_runs_ended_total{status="${status}"}`) ?? 0;
  return ended("error") + ended("timeout");
}

function events(amount: number | undefined): string {
  return amount === undefined ? "–" : `${count(amount)} ${amount === 1 ? "event" : "events"}`;
}

function seqs(first: number | undefined, last: number | undefined): string {
  if (first === undefined || last === undefined) return "–";
  return last < first ? "none yet" : `${count(first)} to ${count(last)}`;
}

function count(amount: number | undefined): string {
  return amount === undefined ? "–" : amount.toLocaleString("en", { maximumFractionDigits: amount < 10 ? 1 : 0 });
}
