import { X } from "lucide-react";
import { useLive } from "../../live/store.ts";
import { short } from "../../parts/format.ts";
import { useParam } from "../../place/place.ts";
import { EVENT_TYPE_CHOICES } from "./event-line.ts";

const FIELD = "h-8 rounded-lg border border-line bg-card px-2 text-sm";

/** What the log is narrowed to. It stands in the address: a link shows the same to somebody else. */
export function EventFilter() {
  const agents = useLive(({ state }) => state.agents);
  const [types, setTypes] = useParam("types");
  const [chosenAgents, setAgents] = useParam("agents");
  const [workflow, setWorkflow] = useParam("workflow");
  const [text, setText] = useParam("q");
  return (
    <search className="contents">
      <input
        type="search"
        aria-label="Search events"
        placeholder="Search"
        value={text}
        onChange={(change) => setText(change.target.value)}
        className={`${FIELD} w-full min-w-0 md:w-56`}
      />
      <Choice label="Event type" chosen={types} choices={EVENT_TYPE_CHOICES} choose={setTypes} />
      <Choice label="Agent" chosen={chosenAgents} choices={[...agents.keys()]} choose={setAgents} />
      {listOf(types).map((type) => (
        <Chosen key={type} name={type} drop={() => setTypes(without(types, type))} />
      ))}
      {listOf(chosenAgents).map((agent) => (
        <Chosen key={agent} name={agent} drop={() => setAgents(without(chosenAgents, agent))} />
      ))}
      {workflow && <Chosen name={`Workflow ${short(workflow)}`} drop={() => setWorkflow(undefined)} />}
    </search>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly chosen: string;
  readonly choices: readonly string[];
  readonly choose: (chosen: string | undefined) => void;
}

/** Adds one after another to what is wanted; beside it stands what has been chosen, to be dropped again. */
function Choice({ label, chosen, choices, choose }: ChoiceProps) {
  const list = listOf(chosen);
  return (
    <select
      aria-label={label}
      value=""
      onChange={({ target: { value } }) => choose([...list, value].join(","))}
      className={`${FIELD} max-md:w-auto max-md:min-w-0 max-md:flex-1 md:w-32`}
    >
      <option value="">{label}</option>
      {choices
        .filter((choice) => !list.includes(choice))
        .map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
    </select>
  );
}

function Chosen({ name, drop }: { name: string; drop: () => void }) {
  return (
    <span className="inline-flex h-7 items-center gap-1 rounded-full bg-accent-soft pr-1 pl-2.5 text-xs text-accent">
      {name}
      <button type="button" aria-label={`Do not narrow to ${name}`} onClick={drop} className="rounded-full p-1">
        <X size={12} aria-hidden="true" />
      </button>
    </span>
  );
}

function listOf(chosen: string): string[] {
  return chosen.split(",").filter(Boolean);
}

function without(chosen: string, name: string): string | undefined {
  return (
    listOf(chosen)
      .filter((one) => one !== name)
      .join(",") || undefined
  );
}
