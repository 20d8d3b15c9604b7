import { X } from "lucide-react";
import type { ReactNode } from "react";
import { adjust, useParam, useRoute } from "../router/route.ts";
import { Chosen } from "./chosen.tsx";
import { FIELD } from "./filter-field.ts";
import { short } from "./format.ts";

/**
 * The filter of a screen's list: a text, the screen's fields, a workflow, and the number of matches. Its state is in
 * the URL, so that a link shows the same list.
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
        {/* On a separate line when narrow, so that the changing number does not move the content below. */}
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
  /** The listed items, in the plural: `runs`. */
  readonly things: string;
  /** The URL parameters of the filter, besides `q` and `workflow`. */
  readonly params: readonly string[];
  /** The number of matches. */
  readonly count: number;
  /** A `Choice` or `Choices` for each parameter. */
  readonly children: ReactNode;
  /** Shown next to the count. */
  readonly actions?: ReactNode;
}
