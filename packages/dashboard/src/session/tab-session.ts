import { type UseBoundStore, useStore } from "zustand";
import type { StoreApi } from "zustand/vanilla";
import { AbsenceDetector, browserPresence } from "../absence/detect.ts";
import { restClient } from "../connection/rest.ts";
import { openFeed } from "../connection/shared-feed.ts";
import { adjust, currentRoute, onRoute } from "../router/route.ts";
import { NameInterner } from "../timeline/name-interner.ts";
import { browserClock } from "./clock.ts";
import { browserFrames } from "./frames.ts";
import { RangeSelection } from "./range.ts";
import { type SeqRoute, Session } from "./session.ts";
import { createSessionStore } from "./store.ts";
import { TimeTravel } from "./time-travel.ts";

// The session of this tab, constructed with the browser's collaborators. Importing it starts nothing: see main.tsx.

const names = new NameInterner();
const rest = restClient(names);
const store = createSessionStore();
const route: SeqRoute = {
  seq: () => currentRoute().seq,
  setSeq: (seq) => adjust({ seq }),
  subscribe: (listener) => void onRoute(listener),
};

/** The session of this tab. */
export const session = new Session({
  store,
  rest,
  openFeed: (url) => openFeed(url, names),
  route,
  clock: browserClock,
  frames: browserFrames,
  absence: new AbsenceDetector(browserPresence),
  storage: {
    getItem: (key) => localStorage.getItem(key),
    setItem: (key, value) => localStorage.setItem(key, value),
  },
});

/** The requests of this tab. */
export { rest };

/** Moves what this tab shows along the log. */
export const timeTravel = new TimeTravel({
  session,
  store,
  rest,
  route,
  requestFrame: (callback) => requestAnimationFrame(callback),
  elapsed: browserClock.elapsed,
});

/** The range that the viewer of this tab is selecting to save. */
export const rangeSelection = new RangeSelection(session, store);

/** Reads the session's view. Only the session writes it. */
export const useSession = readOnlyHook(store);

/** Reads how fast the past is played. */
export const usePlaying = readOnlyHook(timeTravel.playing);

/** Reads the range that is being chosen. */
export const useRange = readOnlyHook(rangeSelection.selected);

function readOnlyHook<T>(
  api: StoreApi<T>,
): UseBoundStore<Pick<StoreApi<T>, "getState" | "getInitialState" | "subscribe">> {
  const { getState, getInitialState, subscribe } = api;
  const hook = <U>(selector: (state: T) => U = (state) => state as unknown as U) => useStore(api, selector);
  return Object.assign(hook, { getState, getInitialState, subscribe });
}
