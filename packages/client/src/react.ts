/**
 * React hooks for a {@link FlockClient}.
 *
 * @packageDocumentation
 */
import type { FlockEvent } from "@flock-ts/protocol";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type ConnectOptions, connect, type FlockClient, type MessageOf, type MessageType } from "./client.ts";
import type { ConnectionState } from "./connection.ts";

/**
 * Connects while the component is mounted. A changed `url` replaces the client; changed `options` apply to the next one.
 *
 * @returns the client, or null before the component is mounted.
 */
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

/** Returns the state of the connection, and renders the component again when it changes. */
export function useConnection(client: FlockClient): ConnectionState {
  return useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
}

/** Calls `listener` with each message of a type while the component is mounted. The listener can change freely. */
export function useFlockEvent<K extends MessageType>(
  client: FlockClient | null,
  type: K,
  listener: (message: MessageOf<K>) => void,
): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client?.on(type, (message) => latest.current(message)), [client, type]);
}

/**
 * Folds all events since the component was mounted into a state. Renders at most once per animation frame.
 *
 * @param reduce returns the next state, for example `reduce` of `@flock-ts/protocol`.
 * @param initial the state before the first event. Later values are ignored.
 */
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
