import { useStore } from "zustand";
import { session, useSession } from "../session/tab-session.ts";
import { type Action, Actions, isPending } from "./actions.ts";

/** The actions of this tab. */
export const actions = new Actions({ session, view: useSession });

/** Reads the actions of this tab, oldest first. */
export function useActions<T>(selector: (state: { readonly actions: readonly Action[] }) => T): T {
  return useStore(actions.store, selector);
}

/** Whether an action with a key is pending. */
export function usePending(key: string): boolean {
  return useActions(({ actions }) => actions.some((action) => action.key === key && isPending(action)));
}
