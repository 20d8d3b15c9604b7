import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { Draft } from "../../blackboard/artifact-type.ts";
import type { Clock } from "../../core/clock.ts";
import { FlockError } from "../../core/errors.ts";
import type { RunLog } from "../../core/logger.ts";
import { timestamp } from "../../core/time.ts";
import type { Workflows } from "../../projections/workflows.ts";
import type { Journal } from "../../store/journal.ts";
import type { LeftWork, WorkStore } from "../../store/store.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { type DryRun, type Filled, Gates } from "../gates/gates.ts";
import { type Activation, activationWrite } from "../runs/activation.ts";
import { NO_ACTIVATIONS, type Origin, type Publication, publicationOf, revealOf } from "./publication.ts";

/** What the publisher works with. */
export interface PublisherOptions {
  readonly left: LeftWork;
  readonly work: Pick<WorkStore, "gates">;
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
}

/** What a commit was to settle: an artifact perhaps, and what it has set in motion. */
type Settled = Pick<Publication, "activations"> & Partial<Pick<Publication, "artifact" | "span">>;

/** Takes what published artifacts set in motion. */
export interface ActivationTaker {
  /** An agent is to run. It is written in the commit of this tick, and begins after it. */
  activate(subscription: Subscription, artifacts: readonly StoredArtifact[]): Activation;
  /** The commit has happened. */
  enqueue(activation: Activation): void;
  /** The commit has failed: nothing of it is so. */
  abandon(activation: Activation): void;
}

/** When a gate's news could not be written, it tries again after so many milliseconds: a full disk stays full for a while. */
const GATE_RETRY_MS = 1_000;

/** Puts artifacts on the blackboard, with all that they set in motion in the same commit. */
export class Publisher {
  readonly gates: Gates;
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { journal, left, work, clock, log } = options;
    const onDue = (subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined) =>
      this.#due(subscription, artifacts);
    this.gates = new Gates({ journal, left, work, clock, log, onDue });
    // Gates have taken in what is not on the blackboard now.
    journal.onFailure(() => this.gates.refresh(GATE_RETRY_MS));
  }

  /**
   * Makes an artifact of a draft; nothing is written yet.
   * @throws FlockError `not_a_draft`, `invalid_payload` or `duplicate_artifact_type`.
   */
  prepare(draft: Draft, origin: Origin): Publication {
    assertDraft(draft);
    const { clock, maxInlinePayloadBytes, onDraft } = this.#options;
    return publicationOf(onDraft(draft, origin), origin, clock.now(), maxInlinePayloadBytes);
  }

  /** What every gate that may want it would do with a draft. Throws as `prepare` does. Nothing is written, nothing changes. */
  dryRun(draft: Draft, origin: Origin): readonly DryRun[] {
    assertDraft(draft);
    const { clock, maxInlinePayloadBytes } = this.#options;
    return this.gates.dryRun(publicationOf(draft, origin, clock.now(), maxInlinePayloadBytes).artifact);
  }

  /** Writes an artifact, offers it to all gates that may want it, and writes what comes of that. */
  post(publication: Publication): void {
    this.#options.journal.write(publication.write);
    this.#offer(publication);
  }

  /** Writes an artifact again whose commit has failed, and what comes of it now. */
  postAgain(publication: Publication): void {
    publication.activations = NO_ACTIVATIONS;
    this.post(publication);
  }

  /** Shows an artifact whose time has come, and wakes who waits for it: nobody but the owner could see it before. */
  reveal(hidden: StoredArtifact): Promise<void> {
    const { journal, workflows, clock, maxInlinePayloadBytes } = this.#options;
    const publication = revealOf(hidden, clock.now(), maxInlinePayloadBytes);
    const { artifact, write } = publication;
    journal.write(write);
    this.#offer(publication);
    return this.committed([{ activations: publication.activations }], () =>
      workflows.revealed(artifact.correlationId, timestamp(clock.now()), artifact.visibility),
    );
  }

  #offer(publication: Publication): void {
    const filled = this.gates.offer(publication.artifact);
    if (filled.length > 0) publication.activations = filled.map(this.#activate);
  }

  readonly #activate = ({ subscription, artifacts }: Filled): Activation => {
    const { journal, runner, clock } = this.#options;
    const activation = runner.activate(subscription, artifacts);
    journal.write(activationWrite(activation, clock.now()));
    return activation;
  };

  /**
   * Waits until what was written in this tick is permanent, then starts what some publications have set in motion.
   * Resolves to what the caller makes of that.
   */
  committed<T>(publications: readonly Settled[], result: () => T, failed: (error: unknown) => T = fail): Promise<T> {
    const { journal, runner, tracing, workflows, onHidden, onCommitted } = this.#options;
    return journal.committed().then(
      () => {
        for (const publication of publications) {
          const { activations, artifact } = publication;
          tracing.committed(publication);
          if (artifact) {
            workflows.published(artifact.correlationId, artifact.createdAt, artifact.visibility);
            onCommitted(artifact);
          }
          for (const activation of activations) runner.enqueue(activation);
          if (artifact?.visibility.kind === "after") onHidden(artifact);
        }
        return result();
      },
      (error) => {
        // Runs count as queued that never will be.
        for (const publication of publications) {
          tracing.lost(publication, error);
          for (const activation of publication.activations) runner.abandon(activation);
        }
        return failed(error);
      },
    );
  }

  /** A gate has done something because time has passed. */
  #due(subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined): void {
    const activations = artifacts ? [this.#activate({ subscription, artifacts })] : NO_ACTIVATIONS;
    // The gates that a failed commit sets back try again by themselves.
    void this.committed(
      [{ activations }],
      () => {},
      () => {},
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
