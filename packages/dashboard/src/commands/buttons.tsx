import type { AgentState, DeadLetterRecord, RunState } from "@flock-ts/protocol";
import { Ban, LoaderCircle, OctagonX, Pause, Play, RotateCcw, Trash2 } from "lucide-react";
import { session, useSession } from "../session/tab-session.ts";
import {
  cancelRun,
  cancelWorkflow,
  discardLetter,
  dropOrphans,
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
  /** The action's key. While the action is pending, the button is disabled and shows `pendingLabel`. */
  readonly action: string;
  readonly icon: typeof Ban;
  readonly label: string;
  /** The label while the action is pending. */
  readonly pendingLabel: string;
  /** The accessible name. Starts with `label`. */
  readonly name?: string | undefined;
  readonly isDestructive?: boolean;
  /** Whether to show only the icon. */
  readonly isIcon?: boolean | undefined;
  /** Why this action is unavailable while others are available. */
  readonly disabledReason?: string | null | undefined;
  readonly run: () => void;
}

/** A button that runs an action. A disabled button stays focusable and explains why. */
export function ActionButton({
  action,
  icon,
  label,
  pendingLabel,
  name,
  isDestructive,
  isIcon,
  disabledReason,
  run,
}: ActionButtonProps) {
  const globalReason = useWhyNot();
  const isPending = usePending(action);
  const why = globalReason ?? disabledReason ?? null;
  const Icon = isPending ? LoaderCircle : icon;
  const words = isPending ? pendingLabel : label;
  return (
    <button
      type="button"
      aria-disabled={why !== null || isPending}
      aria-label={isPending ? (isIcon ? pendingLabel : undefined) : name}
      title={why ?? (isIcon ? words : undefined)}
      onClick={() => {
        if (why !== null) session.notify(why);
        else if (!isPending) run();
      }}
      className={`inline-flex shrink-0 items-center rounded-lg border bg-card text-xs whitespace-nowrap aria-disabled:cursor-not-allowed aria-disabled:text-soft aria-disabled:opacity-70 ${
        isIcon ? "size-6 justify-center border-transparent bg-transparent text-soft" : "h-7 gap-1.5 border-line px-2"
      } ${isDestructive ? "not-aria-disabled:hover:border-bad not-aria-disabled:hover:text-bad" : "not-aria-disabled:hover:border-accent"}`}
    >
      <Icon size={13} aria-hidden="true" className={isPending ? "motion-safe:animate-spin" : ""} />
      {!isIcon && words}
    </button>
  );
}

/** Pauses or resumes an agent. */
export function PauseButton({ agent: { agent_id, paused }, isIcon }: { agent: AgentState; isIcon?: boolean }) {
  const disabledReason = useOwnerOnly();
  return paused ? (
    <ActionButton
      action={`resume ${agent_id}`}
      icon={Play}
      label="Resume"
      pendingLabel="Resuming…"
      name={`Resume ${agent_id}`}
      isIcon={isIcon}
      disabledReason={disabledReason}
      run={() => resumeAgent(agent_id)}
    />
  ) : (
    <ActionButton
      action={`pause ${agent_id}`}
      icon={Pause}
      label="Pause"
      pendingLabel="Pausing…"
      name={`Pause ${agent_id}`}
      isIcon={isIcon}
      disabledReason={disabledReason}
      run={() => pauseAgent(agent_id)}
    />
  );
}

/** Pauses or resumes all agents. */
export function PauseAllButtons() {
  const disabledReason = useOwnerOnly();
  const paused = useSession(({ state }) => [...state.agents.values()].filter((agent) => agent.paused).length);
  const count = useSession(({ state }) => state.agents.size);
  return (
    <>
      {paused < count && (
        <ActionButton
          action="pause all"
          icon={Pause}
          label="Pause all…"
          pendingLabel="Pausing all…"
          isDestructive
          disabledReason={disabledReason}
          run={() => void pauseAll()}
        />
      )}
      {paused > 0 && (
        <ActionButton
          action="resume all"
          icon={Play}
          label="Resume all"
          pendingLabel="Resuming all…"
          disabledReason={disabledReason}
          run={resumeAll}
        />
      )}
    </>
  );
}

/** Cancels a running run or a scheduled retry. */
export function CancelRunButton({ run }: { run: RunState }) {
  return (
    <ActionButton
      action={`cancel run ${run.activation_id ?? run.run_id}`}
      icon={Ban}
      label={run.status === "running" ? "Cancel run" : "Cancel retry"}
      pendingLabel="Cancelling…"
      isDestructive
      run={() => cancelRun(run)}
    />
  );
}

/** Cancels all runs of a workflow. */
export function CancelWorkflowButton({ id }: { id: string }) {
  return (
    <ActionButton
      action={`cancel workflow ${id}`}
      icon={OctagonX}
      label="Cancel workflow…"
      pendingLabel="Cancelling workflow…"
      isDestructive
      run={() => void cancelWorkflow(id)}
    />
  );
}

/** Retries a dead letter. */
export function RetryLetterButton({ letter }: { letter: DeadLetterRecord }) {
  const { missing } = letter;
  const gone = missing === 1 ? "1 input is" : `${missing} inputs are`;
  return (
    <ActionButton
      action={`letter ${letter.id}`}
      icon={RotateCcw}
      label="Retry"
      pendingLabel="Queueing…"
      disabledReason={missing > 0 ? `${gone} no longer retained. You can only discard this dead letter.` : null}
      run={() => retryLetter(letter)}
    />
  );
}

/** Discards a dead letter. */
export function DiscardLetterButton({ letter }: { letter: DeadLetterRecord }) {
  return (
    <ActionButton
      action={`letter ${letter.id}`}
      icon={Trash2}
      label="Discard…"
      pendingLabel="Discarding…"
      isDestructive
      run={() => void discardLetter(letter)}
    />
  );
}

/** Drops the orphaned work of an agent. */
export function DropOrphansButton({ agent, counts }: { agent: string; counts: string }) {
  return (
    <ActionButton
      action={`orphans of ${agent}`}
      icon={Trash2}
      label="Drop…"
      pendingLabel="Dropping…"
      isDestructive
      run={() => void dropOrphans(agent, counts)}
    />
  );
}

/** Retries or discards all dead letters, or those of one agent. */
export function AllLettersButtons({ agent }: { agent: string | undefined }) {
  const action = `letters of ${agent ?? "all"}`;
  return (
    <>
      <ActionButton
        action={action}
        icon={RotateCcw}
        label="Retry all…"
        pendingLabel="Retrying all…"
        isDestructive
        run={() => void settleLetters("retry", agent)}
      />
      <ActionButton
        action={action}
        icon={Trash2}
        label="Discard all…"
        pendingLabel="Discarding all…"
        isDestructive
        run={() => void settleLetters("discard", agent)}
      />
    </>
  );
}
