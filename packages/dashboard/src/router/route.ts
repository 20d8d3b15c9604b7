import { useSyncExternalStore } from "react";

/** The screens, by the first part of their path. */
export const SCREENS = ["agents", "runs", "output", "blackboard", "events", "publish", "control", "system"] as const;
export type Screen = (typeof SCREENS)[number];

/** Paths that screens had before. */
const FORMERLY: Readonly<Record<string, Screen>> = { artifacts: "blackboard" };

/** What a screen is told by the query: `?workflow=…&agent=…`. Its names are its own, but for `seq`. */
export type Params = Readonly<Record<string, string>>;

/** What a viewer looks at, in full: a link is a picture. `/runs/RUN_ID?workflow=CORRELATION_ID&seq=41200` */
export interface Route {
  readonly screen: Screen;
  /** What is selected on it. */
  readonly id: string | undefined;
  /** The seq that all screens show; null while following what happens. */
  readonly seq: number | null;
  readonly params: Params;
}

/** The place that a path and its query say; an unknown one is the first screen. */
export function routeOf(path: string, query = ""): Route {
  const [first = "", second] = path.split("/").filter(Boolean);
  const { seq, ...params } = Object.fromEntries(new URLSearchParams(query));
  return {
    screen: SCREENS.find((name) => name === first) ?? FORMERLY[first] ?? "agents",
    id: second === undefined ? undefined : decoded(second),
    seq: seq !== undefined && /^\d{1,15}$/.test(seq) ? Number(seq) : null,
    params,
  };
}

/** The link to a place. */
export function linkOf({ screen, id, seq, params }: Route): string {
  const query = new URLSearchParams(params);
  if (seq !== null) query.set("seq", String(seq));
  const said = query.toString();
  return `/${screen}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${said && `?${said}`}`;
}

/** The link to a screen, to one thing on it and to what it is narrowed to, at the seq that is shown now. */
export function pathOf(screen: Screen, id?: string, params: Params = {}): string {
  return linkOf({ screen, id, seq: current.seq, params });
}

/** How often the address may change while somebody drags or plays, in ms: browsers refuse more. */
const ADDRESS_MS = 300;

let current: Route = typeof location === "undefined" ? routeOf("/") : routeOf(location.pathname, location.search);
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Where the viewer is. */
export function currentRoute(): Route {
  return current;
}

/** Goes somewhere else within the dashboard; Back leads back. */
export function go(link: string): void {
  writeAddress();
  history.pushState(null, "", link);
  arrive(routeOf(location.pathname, location.search));
}

/** Changes something about what is shown without another entry in the history. `undefined` takes a parameter away. */
export function adjust(change: {
  readonly id?: string | undefined;
  readonly seq?: number | null;
  readonly params?: Readonly<Record<string, string | undefined>>;
}): void {
  const params = Object.entries({ ...current.params, ...change.params }).filter(([, value]) => value);
  arrive({ ...current, ...change, params: Object.fromEntries(params) as Params });
  timer ??= setTimeout(writeAddress, ADDRESS_MS);
}

/** Calls `listener` whenever the place has changed. Returns how to stop that. */
export function onRoute(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Where the viewer is; the component renders anew when that changes. */
export function useRoute(): Route {
  return useSyncExternalStore(onRoute, currentRoute);
}

/** One parameter of the query, and how to change it. */
export function useParam(name: string): [string, (value: string | undefined) => void] {
  const value = useSyncExternalStore(onRoute, () => current.params[name] ?? "");
  return [value, (next) => adjust({ params: { [name]: next || undefined } })];
}

function arrive(place: Route): void {
  current = place;
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

/** A path typed by hand may hold a `%` that means nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
