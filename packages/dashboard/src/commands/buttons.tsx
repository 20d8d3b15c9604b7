import type { AgentState, DeadLetterRecord, RunState } from "@flock-ts/protocol";
import { Ban, LoaderCircle, OctagonX, Pause, Play, RotateCcw, Trash2 } from "lucide-react";
import { session, useSession } from "../session/tab-session.ts";
import {
  cancelRun,
  cancelWorkflow,
  discardLetter,
  pauseAgent,
  pauseAll,
  resumeAgent,
  resumeAll,
  retryLetter,
  settleLetters,
} from "./commands.ts";
import { usePending } from "./tab-actions.ts";
import { useOwnerOnly, useWhyNot } from "./why-not.ts";

interface ActionButtonProps {
  /** The action's key: while it is going on, the button says so, and does nothing. */
  readonly action: string;
  readonly icon: typeof Ban;
  readonly label: string;
  /** What it says while its effect is not seen yet. */
  readonly doing: string;
  /** For those who only hear it; begins with `label`. */
  readonly name?: string | undefined;
  readonly hurts?: boolean;
  /** Whether there is room for a sign alone. */
  readonly isIcon?: boolean | undefined;
  /** Why this one cannot be done, where others can. */
  readonly because?: string | null | undefined;
  readonly run: () => void;
}

/** A button that has something done. Where it cannot be, it stays in the order of the keyboard and says why. */
export function ActionButton({ action, icon, label, doing, name, hurts, isIcon, because, run }: ActionButtonProps) {
  const everywhere = useWhyNot();
  const isPending = usePending(action);
  const why = everywhere ?? because ?? null;
  const Icon = isPending ? LoaderCircle : icon;
  const words = isPending ? doing : label;
  return (
    <button
      type="button"
      aria-disabled={why !== null || isPending}
      aria-label={isPending ? (isIcon ? doing : undefined) : name}
      title={why ?? (isIcon ? words : undefined)}
      onClick={() => {
        if (why !== null) session.notify(why);
        else if (!isPending) run();
      }}
      className={`inline-flex shrink-0 items-center rounded-lg border bg-card text-xs whitespace-nowrap aria-disabled:cursor-not-allowed aria-disabled:text-soft aria-disabled:opacity-70 ${
        isIcon ? "size-6 justify-center border-transparent bg-transparent text-soft" : "h-7 gap-1.5 border-line px-2"
      } ${hurts ? "not-aria-disabled:hover:border-bad not-aria-disabled:hover:text-bad" : "not-aria-disabled:hover:border-accent"}`}
    >
      <Icon size={13} aria-hidden="true" className={isPending ? "motion-safe:animate-spin" : ""} />
      {!isIcon && words}
    </button>
  );
}

/** Pauses an agent, or lets it go on. */
export function PauseButton({ agent: { agent_id, paused }, isIcon }: { agent: AgentState; isIcon?: boolean }) {
  const because = useOwnerOnly();
  return paused ? (
    <ActionButton
      action={`resume ${agent_id}`}
      icon={Play}
      label="Resume"
      doing="Resuming…"
      name={`Resume ${agent_id}`}
      isIcon={isIcon}
      because={because}
      run={() => resumeAgent(agent_id)}
    />
  ) : (
    <ActionButton
      action={`pause ${agent_id}`}
      icon={Pause}
      label="Pause"
      doing="Pausing…"
      name={`Pause ${agent_id}`}
      isIcon={isIcon}
      because={because}
      run={() => pauseAgent(agent_id)}
    />
  );
}

/** Pauses all agents, and lets all go on. */
export function PauseAllButtons() {
  const because = useOwnerOnly();
  const paused = useSession(({ state }) => [...state.agents.values()].filter((agent) => agent.paused).length);
  const count = useSession(({ state }) => state.agents.size);
  return (
    <>
      {paused < count && (
        <ActionButton
          action="pause all"
          icon={Pause}
          label="Pause all…"
          doing="Pausing all…"
          hurts
          because={because}
          run={() => void pauseAll()}
        />
      )}
      {paused > 0 && (
        <ActionButton
          action="resume all"
          icon={Play}
          label="Resume all"
          doing="Resuming all…"
          because={because}
          run={resumeAll}
        />
      )}
    </>
  );
}

/** Cancels a run that goes on, or waits for its next attempt. */
export function CancelRunButton({ run }: { run: RunState }) {
  return (
    <ActionButton
      action={`cancel run ${run.activation_id ?? run.run_id}`}
      icon={Ban}
      label={run.status === "running" ? "Cancel run" : "Cancel retry"}
      doing="Cancelling…"
      hurts
      run={() => cancelRun(run)}
    />
  );
}

/** Cancels all that goes on of a workflow. */
export function CancelWorkflowButton({ id }: { id: string }) {
  return (
    <ActionButton
      action={`cancel workflow ${id}`}
      icon={OctagonX}
      label="Cancel workflow…"
      doing="Cancelling workflow…"
      hurts
      run={() => void cancelWorkflow(id)}
    />
  );
}

/** Runs a dead letter again. */
export function RetryLetterButton({ letter }: { letter: DeadLetterRecord }) {
  const { missing } = letter;
  const gone = missing === 1 ? "1 input is" : `${missing} inputs are`;
  return (
    <ActionButton
      action={`letter ${letter.id}`}
      icon={RotateCcw}
      label="Retry"
      doing="Queueing…"
      because={missing > 0 ? `${gone} no longer retained. You can only discard this dead letter.` : null}
      run={() => retryLetter(letter)}
    />
  );
}

/** Throws a dead letter away. */
export function DiscardLetterButton({ letter }: { letter: DeadLetterRecord }) {
  return (
    <ActionButton
      action={`letter ${letter.id}`}
      icon={Trash2}
      label="Discard…"
      doing="Discarding…"
      hurts
      run={() => void discardLetter(letter)}
    />
  );
}

/** Runs all dead letters again, or throws them away; those of one agent, if one is said. */
export function AllLettersButtons({ agent }: { agent: string | undefined }) {
  const action = `letters of ${agent ?? "all"}`;
  return (
    <>
      <ActionButton
        action={action}
        icon={RotateCcw}
        label="Retry all…"
        doing="Retrying all…"
        hurts
        run={() => void settleLetters("retry", agent)}
      />
      <ActionButton
        action={action}
        icon={Trash2}
        label="Discard all…"
        doing="Discarding all…"
        hurts
        run={() => void settleLetters("discard", agent)}
      />
    </>
  );
}
