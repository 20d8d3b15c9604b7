import { X } from "lucide-react";
import { useLive } from "../../live/store.ts";
import { short } from "../../parts/format.ts";
import { adjust, useParam } from "../../place/place.ts";

const FIELD = "h-8 min-w-0 rounded-lg border border-line bg-card px-2 text-sm";

/** What the list of runs is narrowed to. */
export function RunFilter({ listed }: { listed: number }) {
  const agents = useLive(({ state }) => state.agents);
  const [status, setStatus] = useParam("status");
  const [agent, setAgent] = useParam("agent");
  const [text, setText] = useParam("q");
  const [workflow] = useParam("workflow");
  const isNarrowed = [status, agent, text, workflow].some(Boolean);
  return (
    <search className="grid gap-2 border-b border-line p-3">
      <input
        type="search"
        aria-label="Search runs"
        placeholder="Search"
        value={text}
        onChange={(change) => setText(change.target.value)}
        className={FIELD}
      />
      <span className="grid grid-cols-2 gap-2">
        <select
          aria-label="Status"
          value={status}
          onChange={(change) => setStatus(change.target.value)}
          className={FIELD}
        >
          <option value="">Any status</option>
          {["running", "success", "failed", "cancelled", "interrupted"].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <select aria-label="Agent" value={agent} onChange={(change) => setAgent(change.target.value)} className={FIELD}>
          <option value="">Any agent</option>
          {[...agents.keys()].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </span>
      <p className="flex items-center gap-2 text-xs text-soft tabular-nums">
        {workflow && <span>Workflow {short(workflow)}</span>}
        <span>
          {listed.toLocaleString("en")} {listed === 1 ? "run" : "runs"}
        </span>
        {isNarrowed && (
          <button
            type="button"
            onClick={() =>
              adjust({ params: { status: undefined, agent: undefined, q: undefined, workflow: undefined } })
            }
            className="ml-auto flex items-center gap-1 text-accent underline underline-offset-2"
          >
            <X size={12} aria-hidden="true" /> Show all
          </button>
        )}
      </p>
    </search>
  );
}
