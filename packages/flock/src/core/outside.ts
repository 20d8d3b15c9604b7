import { AsyncResource } from "node:async_hooks";

const root = new AsyncResource("flock");
// A web framework may load this package while it serves a request. The resource must not keep the stores of that
// request's `AsyncLocalStorage`, and Node has no public way to create one without them.
for (const key of Object.getOwnPropertySymbols(root)) {
  if (typeof Reflect.get(root, key) === "object") Reflect.set(root, key, undefined);
}

/**
 * Calls a function outside every `AsyncLocalStorage`, also those of its caller. Work that waits in a queue or for a timer is
 * started by the caller that makes room for it, and must not see that caller's stores.
 */
export function outside<T>(work: () => T): T {
  return root.runInAsyncScope(work);
}
