import { useEffect, useState } from "react";
import { useSession } from "../../session/tab-session.ts";
import type { Log } from "../../timeline/log.ts";

/** The time window in ms, the interval of updates in ms, and the largest number of events to read. */
const WINDOW_MS = 60_000;
const COUNT_MS = 1_000;
const LOOKED_AT = 50_000;

/** The activity of an agent in the last minute. */
export interface Rate {
  readonly started: number;
  readonly ended: number;
  readonly failed: number;
}

/** Counts each agent's activity in the minute before the end of a log, or before `now`. */
export function ratesOf(log: Log, now: number): ReadonlyMap<string, Rate> {
  const rates = new Map<string, { started: number; ended: number; failed: number }>();
  const from = new Date(now - WINDOW_MS).toISOString();
  for (let index = log.length - 1; index >= Math.max(0, log.length - LOOKED_AT); index--) {
    const event = log.at(index);
    if (!event || event.timestamp < from) break;
    if (event.type !== "agent_execution_started" && event.type !== "agent_execution_completed") continue;
    let rate = rates.get(event.agent_id);
    if (!rate) rates.set(event.agent_id, (rate = { started: 0, ended: 0, failed: 0 }));
    if (event.type === "agent_execution_started") rate.started++;
    else {
      rate.ended++;
      if (event.status === "error" || event.status === "timeout") rate.failed++;
    }
  }
  return rates;
}

/** Reads the rates of the shown state, updated once a second. */
export function useRates(): ReadonlyMap<string, Rate> {
  const [rates, setRates] = useState<ReadonlyMap<string, Rate>>(new Map());
  useEffect(() => {
    const count = () => {
      if (document.hidden) return;
      const { log, at, file } = useSession.getState();
      const newest = log.at(-1)?.timestamp;
      const now = at === null && file === null ? Date.now() : newest ? Date.parse(newest) : Date.now();
      setRates(ratesOf(log, now));
    };
    count();
    const timer = setInterval(count, COUNT_MS);
    return () => clearInterval(timer);
  }, []);
  return rates;
}
