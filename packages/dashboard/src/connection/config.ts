/** Where the server's components are: `/dashboard-config.json`. */
export interface DashboardConfig {
  readonly websocket: string;
  readonly control: string;
  /** Absent where a server of before tells it: then they are beside the control routes. */
  readonly deadLetters?: string;
  readonly agents: string;
  readonly artifacts: string;
}

/** Reads the configuration, again and again until there is a server. `onAttempt` hears of each attempt, from 1. */
export async function readConfig(onAttempt: (attempt: number) => void): Promise<DashboardConfig> {
  for (let attempt = 1; ; attempt++) {
    onAttempt(attempt);
    try {
      const response = await fetch("/dashboard-config.json");
      if (response.ok) return await response.json();
    } catch {
      // No server, or none yet: the status says so, and we go on asking.
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 250 * 2 ** attempt)));
  }
}

/** The address of the list of who is connected. */
export function connectionsUrl({ websocket }: DashboardConfig): string {
  return websocket.replace(/ws$/, "connections");
}

/** The address of a page of the log: the events after a seq. */
export function eventsUrl({ websocket }: DashboardConfig, { after, limit }: { after: number; limit: number }): string {
  return `${websocket.replace(/ws$/, "events")}?after=${after}&limit=${limit}`;
}
