import { fromBase } from "../router/base.ts";

/** The addresses of the server's components, from `/dashboard-config.json`. */
export interface DashboardConfig {
  readonly websocket: string;
  readonly control: string;
  /** Absent on older servers, where the dead letters are under the control routes. */
  readonly deadLetters?: string;
  readonly agents: string;
  readonly artifacts: string;
}

/** Reads the configuration, and repeats that until it succeeds. `onAttempt` is called before each attempt, from 1. */
export async function readConfig(onAttempt: (attempt: number) => void): Promise<DashboardConfig> {
  for (let attempt = 1; ; attempt++) {
    onAttempt(attempt);
    try {
      const response = await fetch(fromBase("/dashboard-config.json"));
      if (response.ok) return reachable(await response.json());
    } catch {
      // There is no server yet. The status shows that, and the next attempt follows.
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 250 * 2 ** attempt)));
  }
}

/** Returns the paths as the browser reaches them: the server does not know the sub-path of a proxy. */
function reachable(config: DashboardConfig): DashboardConfig {
  return Object.fromEntries(
    Object.entries(config).map(([name, path]) => [name, fromBase(path)]),
  ) as unknown as DashboardConfig;
}

/** Returns the address of the list of connections. */
export function connectionsUrl({ websocket }: DashboardConfig): string {
  return websocket.replace(/ws$/, "connections");
}

/** Returns the address of a page of the log: the events after a seq. */
export function eventsUrl({ websocket }: DashboardConfig, { after, limit }: { after: number; limit: number }): string {
  return `${websocket.replace(/ws$/, "events")}?after=${after}&limit=${limit}`;
}
