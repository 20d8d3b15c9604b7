import { type ConnectionState, connect, type FlockClient } from "@flock/client";
import { emptyState, type FlockEvent, type FlockState, type GraphSnapshot } from "@flock/protocol";
import { create } from "zustand";
import { FrameBatch } from "./frame-batch.ts";
import { afterGap, endsUnknownRun, foldWithSnapshot } from "./snapshot.ts";

/** Where the server's components are: `/dashboard-config.json`. */
export interface DashboardConfig {
  readonly websocket: string;
  readonly control: string;
  readonly agents: string;
  readonly artifacts: string;
}

/** Everything that the screens show. */
export interface Live {
  readonly config: DashboardConfig | null;
  readonly client: FlockClient | null;
  readonly connection: ConnectionState;
  /** Whether all that is kept has been seen once: before that, an empty list says nothing. */
  readonly complete: boolean;
  /** The fold of all events so far. */
  readonly state: FlockState;
  /** The newest events, oldest first. */
  readonly events: readonly FlockEvent[];
  /** What the viewer has to know about events that are gone. */
  readonly notice: string | null;
}

/** How many events the list keeps: nobody reads further back. */
export const KEPT_EVENTS = 5_000;

export const useLive = create<Live>(() => ({
  config: null,
  client: null,
  connection: { status: "connecting", attempt: 0, retryAt: null, epoch: null, head: 0, reason: null },
  complete: false,
  state: emptyState(),
  events: [],
  notice: null,
}));

/** A log in a file may hold years; so much of it is shown, and what the agents have done in all comes with the snapshot. */
const NEWEST_EVENTS = 10_000;

/** Reads the configuration and connects; both are tried until they succeed. */
export async function start(): Promise<void> {
  const config = await readConfig();
  const client = connect(config.websocket, { since: -NEWEST_EVENTS });
  useLive.setState({ config, client });
  follow(client);
}

async function readConfig(): Promise<DashboardConfig> {
  for (let attempt = 1; ; attempt++) {
    useLive.setState(({ connection }) => ({ connection: { ...connection, attempt } }));
    try {
      const response = await fetch("/dashboard-config.json");
      if (response.ok) return await response.json();
    } catch {
      // No server, or none yet: the status says so, and we go on asking.
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 250 * 2 ** attempt)));
  }
}

function follow(client: FlockClient): void {
  /** The server's own counting, until the fold has come to where it stands. */
  let snapshot: GraphSnapshot | null = null;
  let isAsking = false;
  let wasGap = false;

  const apply = (arrived: readonly FlockEvent[]) => {
    const { state, events } = useLive.getState();
    if (endsUnknownRun(state, arrived)) void askForGraph();
    const folded = foldWithSnapshot(state, arrived, snapshot);
    snapshot = folded.snapshot;
    useLive.setState({
      state: folded.state,
      ...(arrived.length > 0 ? { events: [...events, ...arrived].slice(-KEPT_EVENTS) } : {}),
    });
  };
  // What is long past need not be painted step by step: that would only keep the present waiting.
  const batch = new FrameBatch(apply, () => client.state.status === "catching-up");

  const askForGraph = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    const answer = await client.graph().catch(() => null);
    isAsking = false;
    batch.flush();
    if (answer && answer.seq < useLive.getState().state.seq) return askForGraph();
    snapshot = answer;
    apply([]);
  };

  client.on("event", (event) => batch.add(event));
  client.on("gap", ({ reason, from_seq, to_seq }) => {
    batch.flush();
    wasGap = true;
    if (reason === "epoch") {
      useLive.setState({
        complete: false,
        state: emptyState(),
        events: [],
        notice: "The server has started anew: what it showed before is gone.",
      });
    } else {
      useLive.setState(({ state }) => ({
        state: afterGap(state),
        notice: `Events ${from_seq.toLocaleString("en")} to ${to_seq.toLocaleString("en")} are no longer kept and are missing here.`,
      }));
    }
  });
  client.on("caught_up", async () => {
    batch.flush();
    // Events that are gone may have declared agents and counted runs.
    if (wasGap) await askForGraph();
    wasGap = false;
    useLive.setState({ complete: true });
  });
  const watch = () => useLive.setState({ connection: client.state });
  client.subscribe(watch);
  watch();
}

/** The server's answer to a request, or its error as it tells it. */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(body?.error?.message ?? `${url} answered ${response.status}`);
  return body as T;
}
