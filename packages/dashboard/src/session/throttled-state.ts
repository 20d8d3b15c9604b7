import type { FlockState } from "@flock-ts/protocol";
import { create } from "zustand";
import { useSession } from "./tab-session.ts";

/**
 * From this number of agents or runs on, views of all of them update less often, because each frame would change
 * every one.
 */
const MANY_AGENTS = 40;
const MANY_RUNS = 1_000;
/** The time between two updates, in ms: with many, and with few. */
const SLOWLY_MS = 300;
const QUICKLY_MS = 50;

/** Reads the state that is shown, throttled: for views of everything at once. */
export const useThrottledState = create<FlockState>(() => useSession.getState().state);

let timer: ReturnType<typeof setTimeout> | undefined;

useSession.subscribe((now, before) => {
  if (now.state === before.state) return;
  // Time travel shows its result at once.
  if (now.at !== before.at) {
    clearTimeout(timer);
    timer = undefined;
    useThrottledState.setState(now.state, true);
    return;
  }
  timer ??= setTimeout(
    () => {
      timer = undefined;
      useThrottledState.setState(useSession.getState().state, true);
    },
    now.state.agents.size > MANY_AGENTS || now.state.runs.size > MANY_RUNS ? SLOWLY_MS : QUICKLY_MS,
  );
});
