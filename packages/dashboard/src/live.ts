import { type ConnectionState, connect, type FlockClient } from "@flock/client";
import { emptyState, type FlockEvent, type FlockState, type GraphSnapshot, reduceAll } from "@flock/protocol";
import { create } from "zustand";

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
  /** The fold of all events so far. */
  readonly state: FlockState;
  /** The newest events, oldest first. */
  readonly events: readonly FlockEvent[];
  /** What the viewer has to know about events that are gone. */
  readonly notice: string | null;
}

/** How many events the list keeps: nobody reads further back. */
const KEPT_EVENTS = 5_000;
/** A hidden tab paints nothing, and still has to keep up. In ms. */
const HIDDEN_PAUSE_MS = 250;

export const useLive = create<Live>(() => ({
  config: null,
  client: null,
  connection: { status: "connecting", attempt: 0, retryAt: null, epoch: null, head: 0, reason: null },
  state: emptyState(),
  events: [],
  notice: null,
}));

/** Reads the configuration and connects; both are tried until they succeed. */
export async function start(): Promise<void> {
  const config = await readConfig();
  const client = connect(config.websocket, { since: 0 });
  useLive.setState({ config, client });
  follow(client);
}

async function readConfig(): Promise<DashboardConfig> {
  for (let attempt = 0; ; attempt++) {
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
  let waiting: FlockEvent[] = [];
  let scheduled = false;
  const apply = () => {
    scheduled = false;
    if (waiting.length === 0) return;
    const arrived = waiting;
    waiting = [];
    useLive.setState(({ state, events }) => ({
      state: reduceAll(state, arrived),
      events: [...events, ...arrived].slice(-KEPT_EVENTS),
    }));
  };
  client.on("event", (event) => {
    waiting.push(event);
    if (scheduled) return;
    scheduled = true;
    if (document.hidden) setTimeout(apply, HIDDEN_PAUSE_MS);
    else requestAnimationFrame(apply);
  });
  client.on("gap", ({ reason, from_seq, to_seq }) => {
    apply();
    if (reason === "epoch") {
      useLive.setState({
        state: emptyState(),
        events: [],
        notice: "The server has started anew: what it showed before is gone.",
      });
    } else {
      useLive.setState({
        notice: `Events ${from_seq.toLocaleString()} to ${to_seq.toLocaleString()} are no longer kept and are missing here.`,
      });
    }
  });
  client.on("caught_up", async () => {
    apply();
    const first = useLive.getState().events[0];
    // Who comes late has not been told of agents that were declared before the oldest event that is kept.
    if (first && first.seq > 1) await takeOver(client);
  });
  const watch = () => useLive.setState({ connection: client.state });
  client.subscribe(watch);
  watch();
}

async function takeOver(client: FlockClient): Promise<void> {
  const graph = await client.graph().catch(() => undefined);
  if (graph) useLive.setState(({ state }) => ({ state: withGraph(state, graph) }));
}

/** A state whose agents, counters and flow are the server's. */
export function withGraph(state: FlockState, { nodes, edges }: GraphSnapshot): FlockState {
  const agents = new Map(state.agents);
  for (const node of nodes) {
    if (node.type !== "agent") continue;
    agents.set(node.id, {
      ...agents.get(node.id),
      agent_id: node.id,
      description: node.description ?? "",
      consumes: node.consumes,
      publishes: node.publishes,
      status: node.status,
      counters: node.counters,
    });
  }
  return { ...state, agents, nodes, edges };
}

/** The server's answer to a request, or its error as it tells it. */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(body?.error?.message ?? `${url} answered ${response.status}`);
  return body as T;
}
