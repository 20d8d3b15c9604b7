import { useShallow } from "zustand/react/shallow";
import { useSession } from "./tab-session.ts";

/** Reads the names of all agents. The component renders again only when there is another agent. */
export function useAgentNames(): readonly string[] {
  return useSession(useShallow(({ state }) => [...state.agents.keys()]));
}
