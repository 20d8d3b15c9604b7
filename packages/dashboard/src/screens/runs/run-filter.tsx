import { memo } from "react";
import { useAgentNames } from "../../session/agent-names.ts";
import { Choice } from "../../ui/choice.tsx";
import { Filter } from "../../ui/filter.tsx";

const STATUSES = ["running", "success", "failed", "cancelled", "interrupted"];

/** The filter of the list. */
export const RunFilter = memo(function RunFilter({ listed }: { listed: number }) {
  const agents = useAgentNames();
  return (
    <Filter things="runs" params={["status", "agent"]} count={listed}>
      <Choice param="status" label="Status" none="Any status" choices={STATUSES} />
      <Choice param="agent" label="Agent" none="Any agent" choices={agents} />
    </Filter>
  );
});
