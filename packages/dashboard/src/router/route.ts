import { useSyncExternalStore } from "react";
import { BASE, fromBase } from "./base.ts";

/** The screens, by the first part of their path. */
export const SCREENS = ["agents", "runs", "output", "blackboard", "events", "publish", "control", "system"] as const;
export type Screen = (typeof SCREENS)[number];

/** Earlier paths of screens. */
const FORMERLY: Readonly<Record<string, Screen>> = { artifacts: "blackboard" };

/** The parameters of a screen: `?workflow=…&agent=…`. Each screen chooses its names; `seq` is reserved. */
export type Params = Readonly<Record<string, string>>;

/** All that the URL captures of the view: `/runs/RUN_ID?workflow=CORRELATION_ID&seq=41200`. */
export interface Route {
  readonly screen: Screen;
  /** The id of the selected item. */
  readonly id: string | undefined;
  /** The seq that all screens show; null while following the log. */
  readonly seq: number | null;
  readonly params: Params;
}

/** Parses a path and its query. An unknown path leads to the first screen. */
export function routeOf(path: string, query = ""): Route {
  const within = path.startsWith(BASE) ? path.slice(BASE.length) : path;
  const [first = "", second] = within.split("/").filter(Boolean);
  const { seq, ...params } = Object.fromEntries(new URLSearchParams(query));
  return {
    screen: SCREENS.find((name) => name === first) ?? FORMERLY[first] ?? "agents",
    id: second === undefined ? undefined : decoded(second),
    seq: seq !== undefined && /^\d{1,15}$/.test(seq) ? Number(seq) : null,
    params,
  };
}

/** Returns the link to a route. */
export function linkOf({ screen, id, seq, params }: Route): string {
  const query = new URLSearchParams(params);
  if (seq !== null) query.set("seq", String(seq));
  const said = query.toString();
  return fromBase(`/${screen}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${said && `?${said}`}`);
}

/** Returns the link to a screen, a selection and filters, at the seq that is shown now. */
export function pathOf(screen: Screen, id?: string, params: Params = {}): string {
  return linkOf({ screen, id, seq: current.seq, params });
}

/** The shortest time between two changes of the address while dragging or playing, in ms: browsers refuse more. */
const ADDRESS_MS = 300;

let current: Route = typeof location === "undefined" ? routeOf("/") : routeOf(location.pathname, location.search);
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Returns the current route. */
export function currentRoute(): Route {
  return current;
}

/** Goes to a link within the dashboard, with an entry in the history. */
export function go(link: string): void {
  writeAddress();
  history.pushState(null, "", link);
  arrive(routeOf(location.pathname, location.search));
}

/** Changes the route without another entry in the history. `undefined` removes a parameter. */
export function adjust(change: {
  readonly id?: string | undefined;
  readonly seq?: number | null;
  readonly params?: Readonly<Record<string, string | undefined>>;
}): void {
  const params = Object.entries({ ...current.params, ...change.params }).filter(([, value]) => value);
  arrive({ ...current, ...change, params: Object.fromEntries(params) as Params });
  timer ??= setTimeout(writeAddress, ADDRESS_MS);
}

/** Calls `listener` whenever the route has changed. Returns a function that stops it. */
export function onRoute(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Reads the current route. */
export function useRoute(): Route {
  return useSyncExternalStore(onRoute, currentRoute);
}

/** Reads one parameter of the query. Returns its value and a function that changes it. */
export function useParam(name: string): [string, (value: string | undefined) => void] {
  const value = useSyncExternalStore(onRoute, () => current.params[name] ?? "");
  return [value, (next) => adjust({ params: { [name]: next || undefined } })];
}

function arrive(route: Route): void {
  current = route;
  for (const listener of listeners) listener();
}

function writeAddress(): void {
  if (timer === undefined) return;
  clearTimeout(timer);
  timer = undefined;
  history.replaceState(null, "", linkOf(current));
}

if (typeof addEventListener !== "undefined") {
  addEventListener("popstate", () => {
    clearTimeout(timer);
    timer = undefined;
    arrive(routeOf(location.pathname, location.search));
  });
}

/** A hand-typed path may contain an invalid `%` sequence. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
