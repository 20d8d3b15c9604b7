import { ChevronDown, X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { adjust, useParam, usePlace } from "../router/route.ts";
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
        {/* On a line of its own where there is little room: a number that grows must not move what is below. */}
        <span className="ml-auto flex min-h-7 items-center justify-end gap-3 text-sm whitespace-nowrap text-soft tabular-nums @max-xl:w-full">
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
  /** A `Choice` or `Choices` for each of the parameters. */
  readonly children: ReactNode;
  /** Stands beside the count. */
  readonly actions?: ReactNode;
}

/** One of several, or any of them. */
export function Choice({
  param,
  label,
  none,
  choices,
}: ChoiceProps & { /** What stands there when nothing is chosen. */ readonly none: string }) {
  const [value, set] = useParam(param);
  return (
    <select
      aria-label={label}
      value={value}
      onChange={({ target }) => set(target.value)}
      className={`${FIELD} ${GROWS}`}
    >
      <option value="">{none}</option>
      {/* A link may ask for what there is none of. */}
      {value !== "" && !choices.includes(value) && <option>{value}</option>}
      {choices.map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
    </select>
  );
}

/** Any of several; `Chosen` shows which. Not a field that acts as soon as it is looked through by keyboard. */
export function Choices({ param, label, choices }: ChoiceProps) {
  const [value, set] = useParam(param);
  const list = listOf(value);
  const box = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (box.current) box.current.open = false;
  };
  return (
    <details
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !box.current?.open) return;
        event.stopPropagation();
        close();
        box.current.querySelector("summary")?.focus();
      }}
      onBlur={({ relatedTarget, currentTarget }) => {
        if (relatedTarget instanceof Node && !currentTarget.contains(relatedTarget)) close();
      }}
      className={`group relative ${GROWS}`}
    >
      <summary className={`${FIELD} flex list-none items-center gap-1 [&::-webkit-details-marker]:hidden`}>
        <span className="flex-1 truncate">{label}</span>
        <ChevronDown size={14} aria-hidden="true" className="shrink-0 group-open:rotate-180" />
      </summary>
      <fieldset className="absolute z-10 mt-1 max-h-[60vh] min-w-full overflow-y-auto rounded-lg border border-line bg-card p-1 shadow-lg">
        <legend className="sr-only">{label}</legend>
        {choices.map((choice) => (
          <label
            key={choice}
            className="flex min-h-7 items-center gap-2 rounded-md px-2 text-sm whitespace-nowrap hover:bg-sunken"
          >
            <input
              type="checkbox"
              checked={list.includes(choice)}
              onChange={({ target }) =>
                set((target.checked ? [...list, choice] : list.filter((one) => one !== choice)).join(","))
              }
            />
            {choice}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

const GROWS = "min-w-28 flex-1 @xl:max-w-44 @xl:flex-none";

interface ChoiceProps {
  readonly param: string;
  readonly label: string;
  readonly choices: readonly string[];
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
