import { useMemo, useSyncExternalStore } from "react";

export const SCREENS = ["agents", "runs", "artifacts", "events", "publish"] as const;
export type Screen = (typeof SCREENS)[number];

/** What a list is narrowed to: `?workflow=…&agent=…`. */
export interface ListFilter {
  readonly workflow?: string;
  readonly agent?: string;
}

/** Where the viewer is: `/runs/RUN_ID?workflow=CORRELATION_ID`. */
export interface Route {
  readonly screen: Screen;
  readonly id: string | undefined;
  readonly filter: ListFilter;
}

/** The route that a path and its query say; an unknown one is the first screen. */
export function routeOf(path: string, query = ""): Route {
  const [first = "", second] = path.split("/").filter(Boolean);
  const said = new URLSearchParams(query);
  const workflow = said.get("workflow");
  const agent = said.get("agent");
  return {
    screen: SCREENS.find((name) => name === first) ?? "agents",
    id: second === undefined ? undefined : decoded(second),
    filter: { ...(workflow ? { workflow } : {}), ...(agent ? { agent } : {}) },
  };
}

/** The path of a screen, of one thing on it, and of what its list is narrowed to. */
export function pathOf(screen: Screen, id?: string, filter: ListFilter = {}): string {
  const query = new URLSearchParams(filter as Record<string, string>).toString();
  return `/${screen}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${query && `?${query}`}`;
}

/** Goes somewhere else within the dashboard. */
export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function useRoute(): Route {
  const path = useSyncExternalStore(watch, () => location.pathname);
  const query = useSyncExternalStore(watch, () => location.search);
  return useMemo(() => routeOf(path, query), [path, query]);
}

function watch(listener: () => void): () => void {
  addEventListener("popstate", listener);
  return () => removeEventListener("popstate", listener);
}

/** A path typed by hand may hold a `%` that means nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
