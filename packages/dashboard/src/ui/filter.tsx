import { X } from "lucide-react";
import type { ReactNode } from "react";
import { adjust, useParam, useRoute } from "../router/route.ts";
import { Chosen } from "./chosen.tsx";
import { FIELD } from "./filter-field.ts";
import { short } from "./format.ts";

/**
 * What a screen's list is narrowed to: a text, what the screen offers besides, a workflow, and how many are left. All of it
 * stands in the address, so that a link shows the same to somebody else.
 */
export function Filter({ things, params, count, children, actions }: FilterProps) {
  const { params: chosen } = useRoute();
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
