/**
 * React hooks for a {@link FlockClient}.
 *
 * @packageDocumentation
 */
import type { FlockEvent } from "@flock-ts/protocol";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import {
  type ConnectionState,
  type ConnectOptions,
  connect,
  type FlockClient,
  type Heard,
  type Listenable,
} from "./client.ts";

/** A client that lives as long as the component; another `url` makes another one. Null until the component is mounted. */
export function useFlock(url: string | URL, options?: ConnectOptions): FlockClient | null {
  const [client, setClient] = useState<FlockClient | null>(null);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const address = String(url);
  useEffect(() => {
    const mine = connect(address, latest.current);
    setClient(mine);
    return () => mine.close();
  }, [address]);
  return client;
}

/** How the connection stands; the component renders anew when that changes. */
export function useConnection(client: FlockClient): ConnectionState {
  return useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
}

/** Calls `listener` with each message of a kind as long as the component lives. It may be another function each time. */
export function useFlockEvent<K extends Listenable>(
  client: FlockClient | null,
  what: K,
  listener: (message: Heard<K>) => void,
): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client?.on(what, (message) => latest.current(message)), [client, what]);
}

/** What `reduce` makes of every event since the component was mounted; rendered at most once per animation frame. */
export function useReducedEvents<S>(
  client: FlockClient | null,
  reduce: (state: S, event: FlockEvent) => S,
  initial: S,
): S {
  const [state, setState] = useState(initial);
  const latest = useRef({ state: initial, frame: 0 });
  useFlockEvent(client, "event", (event) => {
    const now = latest.current;
    now.state = reduce(now.state, event);
    now.frame ||= requestAnimationFrame(() => {
      now.frame = 0;
      setState(now.state);
    });
  });
  useEffect(() => () => cancelAnimationFrame(latest.current.frame), []);
  return state;
}
