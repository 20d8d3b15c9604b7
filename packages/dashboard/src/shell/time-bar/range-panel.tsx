import { Download, X } from "lucide-react";
import { useDeferredValue, useEffect, useId, useMemo, useRef, useState } from "react";
import { hiddenWithin } from "../../queries/hidden.ts";
import { type Choice, countOf, saveRange } from "../../recordings/files.ts";
import { useRoute } from "../../router/route.ts";
import { isWanted, type Wanted, wantedOf } from "../../screens/events/matching-events.ts";
import type { Range } from "../../session/range.ts";
import { rangeSelection, session, timeTravel, useRange, useSession } from "../../session/tab-session.ts";
import { parsePosition } from "../../timeline/parse-position.ts";
import { clock, short } from "../../ui/format.ts";

/** The events of a range to save. */
type Which = "all" | "workflow" | "filter";

/** Saves a range of the log as a file, with a choice of events. */
export default function RangePanel() {
  const range = useRange(({ range }) => range);
  return range && <Panel range={range} />;
}

function Panel({ range }: { range: Range }) {
  const [which, setWhich] = useState<Which>("all");
  const [saved, setSaved] = useState<number | null>(null);
  const [message, setMessage] = useState("");
  const workflow = useWorkflow();
  const filter = useFilter();
  const abort = useRef(new AbortController());
  const opener = useRef(document.activeElement);
  useEffect(() => {
    // Also for the marks on the timeline, which are outside this panel.
    const onKey = ({ key }: KeyboardEvent) => {
      if (key === "Escape" && !document.querySelector("dialog[open]")) rangeSelection.leave();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useEffect(
    () => () => {
      abort.current.abort();
      (opener.current as HTMLElement | null)?.focus?.();
    },
    [],
  );
  const wanted = which === "workflow" ? workflow : which === "filter" ? filter : undefined;
  const choice: Choice = useMemo(() => ({ ...range, ...(wanted ? { only: onlyOf(wanted) } : {}) }), [range, wanted]);
  const save = async () => {
    setMessage("");
    setSaved(0);
    try {
      const events = await saveRange(choice, setSaved, abort.current.signal);
      if (events !== null) rangeSelection.leave();
    } catch (error) {
      setMessage(`Failed to save: ${(error as Error).message}`);
      setSaved(null);
    }
  };
  return (
    <section
      role="dialog"
      aria-label="Save a range as a file"
      className="fixed right-3 bottom-28 sm:bottom-16 z-10 flex w-[min(27rem,calc(100vw-1.5rem))] flex-col gap-3 rounded-xl border border-line bg-card p-4 text-sm shadow-xl"
    >
      <header className="flex items-center">
        <h2 className="flex-1 font-semibold">Save a range as a file</h2>
        <button
          type="button"
          aria-label="Close"
          onClick={() => rangeSelection.leave()}
          className="rounded-md p-1 text-soft hover:text-ink"
        >
          <X size={16} aria-hidden="true" />
        </button>
      </header>
      <div className="grid grid-cols-2 gap-3">
        <End end="from" seq={range.from} isFirst />
        <End end="to" seq={range.to} />
      </div>
      <fieldset className="flex flex-col gap-1.5">
        <legend className="sr-only">Which events</legend>
        <Option which="all" chosen={which} choose={setWhich} name="All events" />
        {workflow && (
          <Option
            which="workflow"
            chosen={which}
            choose={setWhich}
            name={`This workflow only: ${short(workflow.correlation)}`}
          />
        )}
        {filter && (
          <Option which="filter" chosen={which} choose={setWhich} name={`Current filter: ${wordsOf(filter)}`} />
        )}
      </fieldset>
      <Summary choice={choice} />
      {message && (
        <p role="alert" className="text-bad">
          {message}
        </p>
      )}
      <button
        type="button"
        disabled={saved !== null}
        onClick={() => void save()}
        className="flex items-center justify-center gap-2 rounded-lg bg-accent px-3 py-1.5 font-medium text-on-accent disabled:opacity-70"
      >
        <Download size={15} aria-hidden="true" />
        {saved === null ? "Save as a file" : `${saved.toLocaleString("en")} events written`}
      </button>
    </section>
  );
}

/** One end of the range, as a seq or a time. */
function End({ end, seq, isFirst = false }: { end: "from" | "to"; seq: number; isFirst?: boolean }) {
  const [text, setText] = useState<string | null>(null);
  const [isWrong, setWrong] = useState(false);
  const id = useId();
  const event = session.timeline.log();
  const timestamp = event.at(Math.max(0, event.indexOf(seq)))?.timestamp;
  const take = async () => {
    if (text === null) return;
    const where = parsePosition(text, session.timeline.log());
    setWrong(!where);
    if (!where) return;
    rangeSelection.move(end, await timeTravel.seqOf(where));
    setText(null);
  };
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-soft">
        {end === "from" ? "From" : "To"}
      </label>
      <input
        id={id}
        // biome-ignore lint/a11y/noAutofocus: opening the panel is a request to type
        autoFocus={isFirst}
        value={text ?? String(seq)}
        aria-invalid={isWrong}
        aria-describedby={`${id}-hint`}
        onFocus={({ target }) => target.select()}
        onChange={({ target }) => setText(target.value)}
        onBlur={() => void take()}
        onKeyDown={({ key }) => key === "Enter" && void take()}
        className="h-8 min-w-0 rounded-lg border border-line bg-sunken px-2 font-mono tabular-nums aria-invalid:border-bad"
      />
      <span id={`${id}-hint`} className={`text-xs tabular-nums ${isWrong ? "text-bad" : "text-soft"}`}>
        {isWrong ? "A seq, or a time such as 14:03" : timestamp ? clock(timestamp) : ""}
      </span>
    </div>
  );
}

function Option({ which, chosen, choose, name }: OptionProps) {
  return (
    <label className="flex items-baseline gap-2">
      <input
        type="radio"
        name="which"
        checked={which === chosen}
        onChange={() => choose(which)}
        className="translate-y-0.5 accent-[var(--accent)]"
      />
      <span className="min-w-0 break-words">{name}</span>
    </label>
  );
}

interface OptionProps {
  readonly which: Which;
  readonly chosen: Which;
  readonly choose: (which: Which) => void;
  readonly name: string;
}

/** Describes the content of the file. */
function Summary({ choice }: { choice: Choice }) {
  const { from, to, only } = useDeferredValue(choice);
  const known = useSession(({ from }) => from);
  const count = useMemo(() => countOf({ from, to, ...(only ? { only } : {}) }), [from, to, only]);
  const hidden = hiddenWithin(Math.max(from, known), to) ?? 0;
  return (
    <p role="status" className="text-soft tabular-nums">
      {count.toLocaleString("en")} {count === 1 ? "event" : "events"}
      {hidden > 0 && `; ${hidden.toLocaleString("en")} are hidden from you, which the file records`}
      {from < known && `, plus those before seq ${known.toLocaleString("en")}, loaded while saving`}
    </p>
  );
}

/** Reads the types of artifacts, if known. */
function typeOf(artifactId: string): string | undefined {
  return session.timeline.head.artifacts.get(artifactId)?.artifact_type;
}

function onlyOf(wanted: Wanted): NonNullable<Choice["only"]> {
  return { isWanted: (event) => isWanted(event, wanted, typeOf), words: wordsOf(wanted) };
}

function wordsOf({ types, agents, correlation, text }: Wanted): string {
  return [
    types.join(" or "),
    agents.length > 0 ? `of ${agents.join(" or ")}` : "",
    correlation ? `workflow ${correlation}` : "",
    text ? `with “${text}”` : "",
  ]
    .filter(Boolean)
    .join(", ");
}

/** Returns the workflow of the selected item, or of the screen's filter. */
function useWorkflow(): Wanted | undefined {
  const { screen, id, params } = useRoute();
  const workflow = useSession(({ state, log }) => {
    if (params.workflow) return params.workflow;
    if (id === undefined) return undefined;
    if (screen === "runs") return state.runs.get(id)?.correlation_id;
    if (screen === "blackboard") return state.artifacts.get(id)?.correlation_id;
    const event = screen === "events" ? log.at(log.indexOf(Number(id))) : undefined;
    return event && "correlation_id" in event ? event.correlation_id : undefined;
  });
  return useMemo(() => (workflow ? wantedOf({ workflow }) : undefined), [workflow]);
}

/** Returns the filter of the event list, when the screen shows it. */
function useFilter(): Wanted | undefined {
  const { screen, params } = useRoute();
  return useMemo(() => {
    const wanted = wantedOf(params);
    return screen === "events" && wordsOf(wanted) !== "" ? wanted : undefined;
  }, [screen, params]);
}
