import { EXTERNAL } from "@flock-ts/protocol";
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
import { reportVisibility } from "../alerts/alert.ts";
import type { GateAlert } from "../alerts/gate-drops.ts";
import { type DryRun, type Filled, Gates } from "../gates/gates.ts";
import type { Registry } from "../registry.ts";
import { type Activation, activationWrite } from "../runs/activation.ts";
import { NO_ACTIVATIONS, type Origin, type Publication, publicationOf, revealOf } from "./publication.ts";

/** Collaborators and settings of {@link Publisher}. */
export interface PublisherOptions {
  readonly left: LeftWork;
  readonly work: Pick<WorkStore, "gates">;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly workflows: Workflows;
  readonly tracing: Tracing;
  /** Limit for payloads in events, in bytes of JSON. Events of larger payloads only contain the size. */
  readonly maxInlinePayloadBytes: number;
  /** Runs the triggered agents. */
  readonly runner: ActivationTaker;
  readonly registry: Registry;
  /** Receives each committed artifact that has a scheduled publish. */
  readonly onHidden: (artifact: StoredArtifact) => void;
}

/** The parts of a publication that are settled with its commit. */
type Settled = Pick<Publication, "activations"> & Partial<Pick<Publication, "artifact" | "span">>;

/** Runs the activations that published artifacts trigger. */
export interface ActivationTaker {
  /** Creates an activation. It is written in the commit of this tick and may start afterwards. */
  activate(subscription: Subscription, artifacts: readonly StoredArtifact[]): Activation;
  /** Queues an activation after its commit. */
  enqueue(activation: Activation): void;
  /** Drops an activation whose commit failed. */
  abandon(activation: Activation): void;
}

const NO_TAGS: readonly string[] = [];

/** Delay before gates retry after a failed write, in ms, because a full disk does not recover immediately. */
const GATE_RETRY_MS = 1_000;

/** Publishes artifacts together with everything that they trigger, in one commit. */
export class Publisher {
  readonly gates: Gates;
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { journal, left, work, clock, log } = options;
    const onDue = (subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined) =>
      this.#due(subscription, artifacts);
    const onDropped = (alert: GateAlert) => this.#report(alert);
    this.gates = new Gates({ journal, left, work, clock, log, onDue, onDropped });
    // Gates have taken in what is not on the blackboard now.
    journal.onFailure(() => this.gates.refresh(GATE_RETRY_MS));
  }

  /**
   * Creates an artifact from a draft without writing it.
   * @throws FlockError `not_a_draft`, `invalid_payload` or `duplicate_artifact_type`.
   */
  prepare(draft: Draft, origin: Origin): Publication {
    assertDraft(draft);
    const { clock, maxInlinePayloadBytes, registry } = this.#options;
    const { type, artifactType } = draft;
    if (registry.types.get(type) !== artifactType) registry.shareType(artifactType);
    const published = registry.hooksOf(origin.producedBy)?.publish(draft, origin) ?? draft;
    return publicationOf(published, origin, clock.now(), maxInlinePayloadBytes);
  }

  /** Returns what each matching gate would do with a draft. Has no side effects. Throws like `prepare`. */
  dryRun(draft: Draft, origin: Origin): readonly DryRun[] {
    assertDraft(draft);
    const { clock, maxInlinePayloadBytes } = this.#options;
    return this.gates.dryRun(publicationOf(draft, origin, clock.now(), maxInlinePayloadBytes).artifact);
  }

  /** Writes an artifact, offers it to all matching gates and writes the outcome. */
  post(publication: Publication): void {
    this.#options.journal.write(publication.write);
    this.#offer(publication);
  }

  /** Writes an artifact again whose commit failed, with what it triggers now. */
  postAgain(publication: Publication): void {
    publication.activations = NO_ACTIVATIONS;
    this.post(publication);
  }

  /** Publishes a hidden artifact with its final visibility and triggers agents that could not see it before. */
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
   * Waits for the commit of this tick, then starts the activations of some publications. Resolves to the result of
   * `result`, or of `failed`.
   */
  committed<T>(publications: readonly Settled[], result: () => T, failed: (error: unknown) => T = fail): Promise<T> {
    const { journal, runner, tracing, workflows, registry, onHidden } = this.#options;
    return journal.committed().then(
      () => {
        for (const publication of publications) {
          const { activations, artifact } = publication;
          tracing.committed(publication);
          if (artifact) {
            workflows.published(artifact.correlationId, artifact.createdAt, artifact.visibility);
            registry.hooksOf(artifact.producedBy)?.published(artifact);
          }
          for (const activation of activations) runner.enqueue(activation);
          if (artifact?.visibility.kind === "after") onHidden(artifact);
        }
        return result();
      },
      (error) => {
        // The commit failed: reset gates that accepted its artifacts, and counts of its queued runs.
        for (const publication of publications) {
          tracing.lost(publication, error);
          for (const activation of publication.activations) runner.abandon(activation);
        }
        return failed(error);
      },
    );
  }

  /** Publishes what a gate reports, in the commit of this tick. The gate reports it again if the commit fails. */
  #report({ draft, correlationId, visibility }: GateAlert): void {
    const { tracing, log } = this.#options;
    const origin = { producedBy: EXTERNAL, correlationId, tags: NO_TAGS, visibility: reportVisibility(visibility) };
    let publication: Publication;
    try {
      publication = this.prepare(draft, origin);
    } catch (err) {
      log.error({ err, type: draft.type }, "failed to report what a gate dropped");
      return;
    }
    tracing.publish([publication]);
    this.post(publication);
    void this.committed(
      [publication],
      () => {},
      () => {},
    );
  }

  /** Handles what a gate released because of a deadline. */
  #due(subscription: Subscription, artifacts: readonly StoredArtifact[] | undefined): void {
    const activations = artifacts ? [this.#activate({ subscription, artifacts })] : NO_ACTIVATIONS;
    // Gates that a failed commit resets retry on their own.
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
    "Failed to publish or invoke: the value is not a draft. Declare a type with `artifact(name, schema)` and call it with the payload.",
  );
}

function fail(error: unknown): never {
  throw error;
}
