import type { ReactNode } from "react";
import { useAgentNames } from "../../session/agent-names.ts";
import { Choices } from "../../ui/choices.tsx";
import { Chosen } from "../../ui/chosen.tsx";
import { Filter } from "../../ui/filter.tsx";
import { EVENT_TYPE_CHOICES } from "./event-line.ts";

/** The filter of the log. */
export function EventFilter({ listed, children }: { listed: number; children: ReactNode }) {
  const agents = useAgentNames();
  return (
    <Filter things="events" params={["types", "agents"]} count={listed} actions={children}>
      <Choices param="types" label="Event type" choices={EVENT_TYPE_CHOICES} />
      <Choices param="agents" label="Agent" choices={agents} />
      <Chosen param="types" />
      <Chosen param="agents" />
    </Filter>
  );
}
