/**
 * React hooks for a {@link FlockClient}.
 *
 * @packageDocumentation
 */
import type { FlockEvent } from "@flock-ts/protocol";
import { useEffect, useInsertionEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { type ConnectOptions, connect, type FlockClient, type MessageOf, type MessageType } from "./client.ts";
import type { ConnectionState } from "./connection.ts";
import type { Address } from "./url.ts";

/**
 * Connects while the component is mounted and not hidden by `<Activity>`. A changed `url` replaces the client; changed
 * `options` apply to the next one. A function as `url` can change freely: each attempt calls the latest one.
 *
 * @returns the client, or null before the component is mounted.
 */
export function useFlock(url: Address, options?: ConnectOptions): FlockClient | null {
  const [client, setClient] = useState<FlockClient | null>(null);
  const latest = useLatest({ url, options });
  const address = typeof url === "function" ? null : String(url);
  // A layout effect, so that components which receive the client subscribe to it before its first event.
  useLayoutEffect(() => {
    const callLatest = () => {
      const { url } = latest.current;
      return typeof url === "function" ? url() : url;
    };
    const mine = connect(address ?? callLatest, latest.current.options);
    setClient(mine);
    return () => mine.close();
  }, [address, latest]);
  return client;
}

/** Returns the state of the connection, and renders the component again when it changes. */
export function useConnection(client: FlockClient): ConnectionState {
  return useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
}

/**
 * Calls `listener` with each message of a type while the component is mounted and not hidden by `<Activity>`. The listener
 * can change freely.
 */
export function useFlockEvent<K extends MessageType>(
  client: FlockClient | null,
  type: K,
  listener: (message: MessageOf<K>) => void,
): void {
  const latest = useLatest(listener);
  useEffect(() => client?.on(type, (message) => latest.current(message)), [client, type, latest]);
}

/**
 * Folds all events since the component was mounted into a state, also while the component is hidden by `<Activity>` or
 * `<Suspense>`. Renders at most once per animation frame. Another client, or another log of the server, starts again with
 * `initial`.
 *
 * @param reduce returns the next state, for example `reduce` of `@flock-ts/protocol`. It can change freely.
 * @param initial the state before the first event. Later values are ignored.
 */
export function useReducedEvents<S>(
  client: FlockClient | null,
  reduce: (state: S, event: FlockEvent) => S,
  initial: S,
): S {
  const [first] = useState(() => initial);
  const [state, setState] = useState(() => initial);
  const latest = useLatest(reduce);
  // An insertion effect lasts until the component is removed. React ends other effects while a component is hidden, and
  // the events of that time would be missing.
  useInsertionEffect(() => {
    let folded = first;
    let frame = 0;
    const change = (next: S) => {
      folded = next;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setState(() => folded);
      });
    };
    change(first);
    const stops = [
      client?.on("event", (event) => change(latest.current(folded, event))),
      client?.on("gap", ({ reason }) => reason === "epoch" && change(first)),
      () => cancelAnimationFrame(frame),
    ];
    return () => {
      for (const stop of stops) stop?.();
    };
  }, [client, first, latest]);
  return state;
}

/** Returns a reference to the value of the latest render that was committed. */
function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
