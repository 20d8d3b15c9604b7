import type { ReactNode } from "react";
import { useAgentNames } from "../../live/agent-names.ts";
import { Choice, Chosen, Filter } from "../../parts/filter.tsx";
import { EVENT_TYPE_CHOICES } from "./event-line.ts";

/** What the log is narrowed to. */
export function EventFilter({ listed, children }: { listed: number; children: ReactNode }) {
  const agents = useAgentNames();
  return (
    <Filter things="events" params={["types", "agents"]} count={listed} actions={children}>
      <Choice several param="types" label="Event type" none="Any type" choices={EVENT_TYPE_CHOICES} />
      <Choice several param="agents" label="Agent" none="Any agent" choices={agents} />
      <Chosen param="types" />
      <Chosen param="agents" />
    </Filter>
  );
}
