import type { RunState } from "@flock-ts/protocol";
import { useShallow } from "zustand/react/shallow";
import { Link } from "../../router/link.tsx";
import { pathOf } from "../../router/route.ts";
import { useThrottledState } from "../../session/throttled-state.ts";
import { clock, duration } from "../../ui/format.ts";
import { Status } from "../../ui/status.tsx";

/** The attempts of the same work with their outcomes, when there are several. */
export function Attempts({ run }: { run: RunState }) {
  const { run_id, activation_id, attempt, retry_at } = run;
  const isAlone = activation_id === undefined || (attempt === 1 && retry_at === undefined);
  const attempts = useThrottledState(
    useShallow(({ runs }) =>
      isAlone ? [] : [...runs.values()].filter((other) => other.activation_id === activation_id),
    ),
  );
  if (isAlone) return null;
  return (
    <section aria-label="Attempts">
      <h3 className="mb-1.5 text-sm font-medium text-soft">Attempts</h3>
      <ol className="divide-y divide-line rounded-xl border border-line bg-card text-sm">
        {attempts
          .toSorted((a, b) => a.attempt - b.attempt)
          .map((one) => (
            <li key={one.run_id} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3 py-1.5">
              <Link
                href={pathOf("runs", one.run_id)}
                aria-current={one.run_id === run_id ? "true" : undefined}
                className={one.run_id === run_id ? "font-semibold" : "text-accent underline underline-offset-2"}
              >
                {`Attempt ${one.attempt}`}
              </Link>
              <Status value={one.status} />
              <span className="text-xs text-soft tabular-nums">
                {clock(one.started_at)}
                {one.duration_ms === undefined ? "" : ` · ${duration(one.duration_ms)}`}
              </span>
              {one.error && (
                <span className="min-w-0 flex-1 basis-40 truncate text-bad">{`${one.error.name}: ${one.error.message}`}</span>
              )}
              {one.retry_at !== undefined && (
                <span className="text-xs text-soft tabular-nums">retried at {clock(one.retry_at)}</span>
              )}
            </li>
          ))}
      </ol>
    </section>
  );
}
