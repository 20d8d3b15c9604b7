import { useShallow } from "zustand/react/shallow";
import { useSession } from "./tab-session.ts";

/** The names of all agents: the component renders anew when there is another one, not when one of them does something. */
export function useAgentNames(): readonly string[] {
  return useSession(useShallow(({ state }) => [...state.agents.keys()]));
}
