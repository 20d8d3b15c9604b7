import type { AgentInfo } from "@flock-ts/protocol";
import { useEffect } from "react";
import { create } from "zustand";
import { getJson } from "../connection/rest.ts";
import { useSession } from "../session/tab-session.ts";
import { refetchOn } from "./invalidation.ts";

/**
 * Agent data that only the server has, by name: gate contents and queue lengths. Always current, regardless of the
 * seq shown.
 */
const useInfos = create<{ readonly infos: ReadonlyMap<string, AgentInfo> }>(() => ({ infos: new Map() }));

/** The interval of requests, in ms: some changes have no event. */
const LOOK_MS = 5_000;
/** The shortest time between two requests because of events, in ms. */
const CALM_MS = 1_000;

let watchers = 0;
let stop: (() => void) | undefined;

/** Reads all agents from the server, and repeats that while a component uses them. Empty for a recording. */
export function useAgentInfos(): ReadonlyMap<string, AgentInfo> {
  useEffect(watch, []);
  return useInfos(({ infos }) => infos);
}

/** Reads one agent. The component renders again only when that agent has changed. */
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

/** Keeps the object of each agent that has not changed. */
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
