import { Draft } from "../../blackboard/artifact-type.ts";
import type { StoredArtifact } from "../../blackboard/stored-artifact.ts";
import type { Clock } from "../../clock.ts";
import { FlockError } from "../../errors.ts";
import type { Journal } from "../../store/journal.ts";
import type { DurablePart } from "../../store/store.ts";
import { timestamp } from "../../store/timestamp.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { type Filled, Gates, type Rehearsed } from "../gates/gates.ts";
import type { Subscription } from "../gates/subscription.ts";
import { type Activation, activationWrite } from "../runs/activation.ts";
import type { RunLog } from "../runs/run-context.ts";
import { NO_ACTIVATIONS, type Origin, type Posting, postingOf, revealOf } from "./posting.ts";
import type { Workflows } from "./workflows.ts";

/** What the publisher works with. */
export interface PublisherOptions {
  readonly durable: DurablePart | undefined;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly workflows: Workflows;
  readonly tracing: Tracing;
  /** A payload of more bytes than this as JSON stays out of events, which then tell its size. */
  readonly maxInlinePayloadBytes: number;
  /** Who runs what is woken. */
  readonly runner: ActivationTaker;
  /** Is told of each draft before it becomes an artifact, and gives the one that does. May throw. */
  readonly onDraft: (draft: Draft, origin: Origin) => Draft;
  /** Is told of each artifact that has been committed. Never throws. */
  readonly onCommitted: (artifact: StoredArtifact) => void;
  /** Is told of each artifact on the blackboard that waits for its time. */
  readonly onHidden: (artifact: StoredArtifact) => void;
  /** Is told of each artifact whose time has come. */
  readonly onRevealed: (artifact: StoredArtifact) => void;
}

/** What a commit was to settle: an artifact perhaps, and what it has set in motion. */
type Settled = Pick<Posting, "activations"> & Partial<Pick<Posting, "artifact" | "span">>;

/** Takes what published artifacts set in motion. */
export interface ActivationTaker {
  /** An agent is to run. It is written in the commit of this tick, and begins after it. */
  activate(subscription: Subscription, artifacts: readonly StoredArtifact[]): Activation;
  /** The commit has happened. */
  enqueue(activation: Activation): void;
  /** The commit has failed: nothing of it is so. */
  giveUp(activation: Activation): void;
}

/** When a gate's news could not be written, it tries again after so many milliseconds: a full disk stays full for a while. */
const GATE_RETRY_MS = 1_000;

/** Puts artifacts on the blackboard, with all that they set in motion in the same commit. */
export class Publisher {
  readonly gates: Gates;
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { journal, durable, clock, log } = options;
    const onDue = (subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined) =>
      this.#due(subscription, artifacts);
    this.gates = new Gates({ journal, durable, clock, log, onDue });
  }

  /**
   * Makes an artifact of a draft; nothing is written yet.
   * @throws FlockError `not_a_draft`, `invalid_payload` or `duplicate_artifact_type`.
   */
  prepare(draft: Draft, origin: Origin): Posting {
    assertDraft(draft);
    const { clock, maxInlinePayloadBytes, onDraft } = this.#options;
    return postingOf(onDraft(draft, origin), origin, clock.now(), maxInlinePayloadBytes);
  }

  /** What every gate that may want it would do with a draft. Throws as `prepare` does. Nothing is written, nothing changes. */
  rehearse(draft: Draft, origin: Origin): readonly Rehearsed[] {
    assertDraft(draft);
    const { clock, maxInlinePayloadBytes } = this.#options;
    return this.gates.rehearse(postingOf(draft, origin, clock.now(), maxInlinePayloadBytes).artifact);
  }

  /** Writes an artifact, offers it to all gates that may want it, and writes what comes of that. */
  post(posting: Posting): void {
    const { journal, workflows } = this.#options;
    const { artifact, write } = posting;
    journal.write(write);
    workflows.published(artifact.correlationId, artifact.createdAt, artifact.visibility);
    this.#offer(posting);
  }

  /** Shows an artifact whose time has come, and wakes who waits for it: nobody but the owner could see it before. */
  reveal(hidden: StoredArtifact): Promise<void> {
    const { journal, workflows, clock, maxInlinePayloadBytes, onRevealed } = this.#options;
    const posting = revealOf(hidden, clock.now(), maxInlinePayloadBytes);
    const { artifact, write } = posting;
    journal.write(write);
    workflows.revealed(artifact.correlationId, timestamp(clock.now()), artifact.visibility);
    onRevealed(artifact);
    this.#offer(posting);
    return this.committed([{ activations: posting.activations }], () => {});
  }

  #offer(posting: Posting): void {
    const filled = this.gates.offer(posting.artifact);
    if (filled.length > 0) posting.activations = filled.map(this.#activate);
  }

  readonly #activate = ({ subscription, artifacts }: Filled): Activation => {
    const { journal, durable, runner } = this.#options;
    const activation = runner.activate(subscription, artifacts);
    // What this process has to do dies with it, unless the store outlives it.
    if (durable) journal.write(activationWrite(activation));
    return activation;
  };

  /**
   * Waits until what was written in this tick is permanent, then starts what some postings have set in motion.
   * Resolves to what the caller makes of that.
   */
  committed<T>(postings: readonly Settled[], result: () => T, failed: (error: unknown) => T = fail): Promise<T> {
    const { journal, runner, tracing, onHidden, onCommitted } = this.#options;
    return journal.committed().then(
      () => {
        for (const posting of postings) {
          const { activations, artifact } = posting;
          tracing.committed(posting);
          if (artifact) onCommitted(artifact);
          for (const activation of activations) runner.enqueue(activation);
          if (artifact?.visibility.kind === "after") onHidden(artifact);
        }
        return result();
      },
      (error) => {
        // Gates have taken in what is not on the blackboard now, and runs count as queued that never will be.
        this.gates.restore(undefined, GATE_RETRY_MS);
        for (const posting of postings) {
          tracing.lost(posting, error);
          for (const activation of posting.activations) runner.giveUp(activation);
        }
        return failed(error);
      },
    );
  }

  /** A gate has done something because time has passed. */
  #due(subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined): void {
    const { log } = this.#options;
    this.committed(
      [{ activations: artifacts ? [this.#activate({ subscription, artifacts })] : NO_ACTIVATIONS }],
      () => {},
      (err) => {
        log.error({ err, agent: subscription.agentId }, "what a gate had to do could not be written");
      },
    );
  }
}

function assertDraft(draft: unknown): asserts draft is Draft {
  if (draft instanceof Draft) return;
  throw new FlockError(
    "not_a_draft",
    "publish and invoke want what an artifact type makes: declare one with artifact(name, schema) and call it with the payload",
  );
}

function fail(error: unknown): never {
  throw error;
}
