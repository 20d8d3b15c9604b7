import type { AgentInfo } from "@flock-ts/protocol";
import { useEffect } from "react";
import { create } from "zustand";
import { getJson } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";
import { refetchOn } from "./invalidation.ts";

/** What only the server knows of agents, by name: what their gates hold and how many runs wait, now, whatever seq is shown. */
const useInfos = create<{ readonly infos: ReadonlyMap<string, AgentInfo> }>(() => ({ infos: new Map() }));

/** Between two looks, in ms: not everything that changes here is told by an event. */
const LOOK_MS = 5_000;
/** Under load, between two looks because of events, in ms. */
const CALM_MS = 1_000;

let watchers = 0;
let stop: (() => void) | undefined;

/** All agents as the server tells them; it is asked for as long as somebody looks. Empty for a file. */
export function useAgentInfos(): ReadonlyMap<string, AgentInfo> {
  useEffect(watch, []);
  return useInfos(({ infos }) => infos);
}

/** One of them: what it renders is made anew only when that one has changed. */
export function useAgentInfo(name: string): AgentInfo | undefined {
  useEffect(watch, []);
  return useInfos(({ infos }) => infos.get(name));
}

function watch(): () => void {
  if (watchers++ === 0) stop = follow();
  return () => {
    if (--watchers === 0) stop?.();
  };
}

/** An agent of which nothing has changed stays the same object. */
function withNew(before: ReadonlyMap<string, AgentInfo>, agents: readonly AgentInfo[]): ReadonlyMap<string, AgentInfo> {
  return new Map(
    agents.map((agent) => {
      const known = before.get(agent.name);
      return [agent.name, known && JSON.stringify(known) === JSON.stringify(agent) ? known : agent];
    }),
  );
}

function follow(): () => void {
  let askedAt = Number.NEGATIVE_INFINITY;
  let later: ReturnType<typeof setTimeout> | undefined;
  const ask = () => {
    later = undefined;
    askedAt = performance.now();
    const { config, file } = useSession.getState();
    if (!config || file !== null || document.hidden) return;
    getJson<{ agents: AgentInfo[] }>(`${config.agents}/agents`).then(
      ({ agents }) => useInfos.setState(({ infos }) => ({ infos: withNew(infos, agents) })),
      () => {},
    );
  };
  const soon = () => {
    later ??= setTimeout(ask, Math.max(0, askedAt + CALM_MS - performance.now()));
  };
  const timer = setInterval(soon, LOOK_MS);
  const ignore = refetchOn(({ type }) => type !== "streaming_output" && type !== "graph_updated", soon);
  return () => {
    clearInterval(timer);
    clearTimeout(later);
    later = undefined;
    ignore();
  };
}
