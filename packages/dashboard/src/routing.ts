import { useSyncExternalStore } from "react";

export const SCREENS = ["agents", "runs", "artifacts", "events", "publish"] as const;
export type Screen = (typeof SCREENS)[number];

/** Where the viewer is: `/runs/RUN_ID`. */
export interface Route {
  readonly screen: Screen;
  readonly id: string | undefined;
}

/** The route that a path says; an unknown one is the first screen. */
export function routeOf(path: string): Route {
  const [first = "", second] = path.split("/").filter(Boolean);
  const screen = SCREENS.find((name) => name === first) ?? "agents";
  return { screen, id: second === undefined ? undefined : decodeURIComponent(second) };
}

export function pathOf(screen: Screen, id?: string): string {
  return `/${screen}${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;
}

/** Goes somewhere else within the dashboard. */
export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function useRoute(): Route {
  const path = useSyncExternalStore(
    (listener) => {
      addEventListener("popstate", listener);
      return () => removeEventListener("popstate", listener);
    },
    () => location.pathname,
  );
  return routeOf(path);
}
