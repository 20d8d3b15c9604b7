import { X } from "lucide-react";
import type { ReactNode } from "react";
import { adjust, useParam, usePlace } from "../place/place.ts";
import { short } from "./format.ts";

const FIELD = "h-8 min-w-0 rounded-lg border border-line bg-card px-2 text-sm";

/**
 * What a screen's list is narrowed to: a text, what the screen offers besides, a workflow, and how many are left. All of it
 * stands in the address, so that a link shows the same to somebody else.
 */
export function Filter({ things, params, count, children, actions }: FilterProps) {
  const { params: chosen } = usePlace();
  const [text, setText] = useParam("q");
  const all = ["q", "workflow", ...params];
  return (
    <div className="@container border-b border-line bg-card">
      <search className="flex flex-wrap items-center gap-2 px-3 py-2">
        <input
          type="search"
          aria-label={`Search ${things}`}
          placeholder="Search"
          value={text}
          onChange={(change) => setText(change.target.value)}
          className={`${FIELD} w-full @xl:w-52`}
        />
        {children}
        <Chosen param="workflow" nameOf={(id) => `Workflow ${short(id)}`} />
        <span className="ml-auto flex items-center gap-3 text-sm whitespace-nowrap text-soft tabular-nums">
          {all.some((name) => chosen[name]) && (
            <button
              type="button"
              onClick={() => adjust({ params: Object.fromEntries(all.map((name) => [name, undefined])) })}
              className="flex h-7 items-center gap-1 text-accent underline underline-offset-2"
            >
              <X size={12} aria-hidden="true" /> Show all
            </button>
          )}
          {actions}
          {count.toLocaleString("en")} {count === 1 ? things.slice(0, -1) : things}
        </span>
      </search>
    </div>
  );
}

interface FilterProps {
  /** What is listed, in the plural: `runs`. */
  readonly things: string;
  /** The parameters of the address that narrow the list, besides `q` and `workflow`. */
  readonly params: readonly string[];
  /** How many are left. */
  readonly count: number;
  /** A `Choice` for each of the parameters. */
  readonly children: ReactNode;
  /** Stands beside the count. */
  readonly actions?: ReactNode;
}

/** One of several, or any of them; with `several`, one after another is added, and `Chosen` shows them. */
export function Choice({ param, label, none, choices, several = false }: ChoiceProps) {
  const [value, set] = useParam(param);
  const list = several ? listOf(value) : [];
  return (
    <select
      aria-label={label}
      value={several ? "" : value}
      onChange={({ target }) => set([...list, target.value].join(","))}
      className={`${FIELD} min-w-28 flex-1 @xl:max-w-44 @xl:flex-none`}
    >
      <option value="">{none}</option>
      {/* A link may ask for what there is none of. */}
      {!several && value !== "" && !choices.includes(value) && <option>{value}</option>}
      {choices
        .filter((choice) => !list.includes(choice))
        .map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
    </select>
  );
}

interface ChoiceProps {
  readonly param: string;
  readonly label: string;
  /** What stands there when nothing is chosen. */
  readonly none: string;
  readonly choices: readonly string[];
  readonly several?: boolean;
}

/** What has been chosen of a parameter, each to be dropped again. */
export function Chosen({ param, nameOf = (value) => value }: ChosenProps) {
  const [value, set] = useParam(param);
  const list = listOf(value);
  return list.map((one) => (
    <span
      key={one}
      title={one}
      className="inline-flex h-7 min-w-0 items-center rounded-full bg-accent-soft pl-2.5 text-xs text-accent"
    >
      <span className="truncate">{nameOf(one)}</span>
      <button
        type="button"
        aria-label={`Do not narrow to ${nameOf(one)}`}
        onClick={() => set(list.filter((other) => other !== one).join(","))}
        className="grid size-7 shrink-0 place-items-center rounded-full"
      >
        <X size={12} aria-hidden="true" />
      </button>
    </span>
  ));
}

interface ChosenProps {
  readonly param: string;
  /** How a value reads. */
  readonly nameOf?: (value: string) => string;
}

function listOf(chosen: string): string[] {
  return chosen.split(",").filter(Boolean);
}
