import type { DeadLetterRecord } from "@flock-ts/protocol";
import { X } from "lucide-react";
import { AllLettersButtons, DiscardLetterButton, RetryLetterButton } from "../../commands/buttons.tsx";
import { useDeadLetters } from "../../queries/dead-letters.ts";
import { Link } from "../../router/link.tsx";
import { pathOf, useParam } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { ErrorView } from "../../ui/error-view.tsx";
import { clock, short } from "../../ui/format.ts";
import { Skeleton } from "../../ui/skeleton.tsx";

/** The number of artifacts listed for a dead letter. */
const NAMED = 6;

/** The current dead letters of one agent or of all. */
export function DeadLetters() {
  const [agent, setAgent] = useParam("agent");
  const file = useSession(({ file }) => file);
  const agents = useSession(({ state }) => state.agents);
  const { letters, shown, newer, showNewer, error, more } = useDeadLetters(agent || undefined);
  return (
    <section aria-label="Dead letters" className="min-w-0 rounded-xl border border-line bg-card">
      <header className="flex min-h-11 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        <h2 className="mr-auto text-sm font-medium">Dead letters</h2>
        <select
          aria-label="Agent"
          value={agent}
          onChange={(change) => setAgent(change.target.value)}
          className="h-7 max-w-40 min-w-0 rounded-lg border border-line bg-card px-1.5 text-xs"
        >
          <option value="">Any agent</option>
          {[...new Set([...agents.keys(), ...(agent ? [agent] : [])])].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        {letters && letters.length > 0 && (
          <>
            <AllLettersButtons agent={agent || undefined} />
            <p className="flex min-h-6 basis-full items-center gap-3 text-xs text-soft tabular-nums">
              <span>{`${letters.length.toLocaleString("en")}${more ? " and more" : ""}`}</span>
              {newer > 0 && (
                <button
                  type="button"
                  onClick={showNewer}
                  className="leading-6 text-accent underline underline-offset-2"
                >
                  Show {newer.toLocaleString("en")} newer
                </button>
              )}
            </p>
          </>
        )}
      </header>
      {error && (
        <p role="alert" className="px-4 py-3 text-sm text-busy">
          Failed to load the dead letters: {error}. Reload the page to retry.
        </p>
      )}
      {file !== null ? (
        <p className="px-4 py-3 text-sm text-soft">Not available for event files.</p>
      ) : (
        !letters && !error && <Skeleton />
      )}
      {letters?.length === 0 && (
        <p className="flex flex-wrap items-center gap-2 px-4 py-3 text-sm text-soft">
          {agent
            ? `No dead letters for ${agent}.`
            : "No dead letters. A run that fails after all its retries appears here."}
          {agent && (
            <button
              type="button"
              onClick={() => setAgent(undefined)}
              className="flex items-center gap-1 text-accent underline underline-offset-2"
            >
              <X size={12} aria-hidden="true" /> Show all
            </button>
          )}
        </p>
      )}
      <ul>
        {shown?.map((letter) => (
          <Letter key={letter.id} letter={letter} />
        ))}
      </ul>
      {more && (
        <button
          type="button"
          onClick={more}
          className="w-full border-t border-line py-2 text-sm text-accent hover:underline"
        >
          Show older
        </button>
      )}
    </section>
  );
}

function Letter({ letter }: { letter: DeadLetterRecord }) {
  const { agent_id, run_id, correlation_id, attempts, error, artifacts, missing, failed_at } = letter;
  const known = useSession(({ state }) => state.artifacts);
  const link = "inline-block leading-6 text-accent underline underline-offset-2";
  return (
    <li
      aria-label={`Dead letter of ${agent_id}`}
      className="flex flex-wrap items-start gap-x-3 gap-y-2 border-t border-line px-4 py-2.5 text-sm first:border-t-0"
    >
      <p className="flex min-w-56 flex-1 flex-wrap items-baseline gap-x-2">
        <Link href={pathOf("runs", run_id)} className="inline-block font-medium leading-6 hover:underline">
          {agent_id}
        </Link>
        <span className="text-xs text-soft tabular-nums">
          {new Date(failed_at).toLocaleDateString()} {clock(failed_at).slice(0, 8)} ·{" "}
          {attempts === 1 ? "1 attempt" : `${attempts} attempts`} · workflow{" "}
          <Link
            href={pathOf("runs", run_id, { workflow: correlation_id })}
            title={correlation_id}
            className={`font-mono ${link}`}
          >
            {short(correlation_id)}
          </Link>
        </span>
      </p>
      <span className="flex flex-wrap gap-1.5">
        <RetryLetterButton letter={letter} />
        <DiscardLetterButton letter={letter} />
      </span>
      <div className="min-w-0 basis-full">
        <ErrorView error={error} />
      </div>
      <p className="flex basis-full flex-wrap items-baseline gap-x-2 text-xs text-soft">
        on{" "}
        {artifacts.slice(0, NAMED).map((id) => (
          <Link key={id} href={pathOf("blackboard", id)} title={id} className={link}>
            {known.get(id)?.artifact_type ?? "artifact"} {short(id)}
          </Link>
        ))}
        {artifacts.length > NAMED && <span>and {artifacts.length - NAMED} more</span>}
        {missing > 0 && (
          <span className="text-busy">
            {missing === 1 ? "1 artifact is" : `${missing} artifacts are`} no longer retained
          </span>
        )}
      </p>
    </li>
  );
}
