import { EXTERNAL } from "@flock-ts/protocol";
import type { Subscription } from "../../agents/subscription.ts";
import { type StoredArtifact, takenUp } from "../../blackboard/artifact.ts";
import { assertDraft, type Draft } from "../../blackboard/artifact-type.ts";
import { lastingOf } from "../../blackboard/visibility.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import type { Journal } from "../../store/journal.ts";
import type { LeftWork, WorkStore } from "../../store/store.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import type { GateAlert } from "../alerts/gate-drops.ts";
import { type DryRun, type Filled, Gates } from "../gates/gates.ts";
import type { Registry } from "../registry.ts";
import { type Activation, activationWrite } from "../runs/activation.ts";
import type { Activations } from "../runs/activations.ts";
import { NO_ACTIVATIONS, type Origin, type Publication, publicationOf, revealOf } from "./publication.ts";

/** Collaborators and settings of {@link Publisher}. */
export interface PublisherOptions {
  readonly left: LeftWork;
  readonly work: Pick<WorkStore, "gates">;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly tracing: Tracing;
  /** Limit for payloads in events, in bytes of JSON. Events of larger payloads only contain the size. */
  readonly maxInlinePayloadBytes: number;
  readonly activations: Pick<Activations, "create">;
  readonly registry: Registry;
}

/** The parts of a publication that are settled with its commit. */
type Settled = Pick<Publication, "activations"> & Partial<Pick<Publication, "artifact" | "span">>;

/** Receives what publishing has caused, after each commit. */
export interface PublishListener {
  /** Receives each committed activation. */
  activated?(activation: Activation): void;
  /** Receives each activation whose commit failed. */
  abandoned?(activation: Activation): void;
  /** Receives each committed artifact that has a scheduled publish. */
  hidden?(artifact: StoredArtifact): void;
}

const NO_TAGS: readonly string[] = [];

/** Delay before gates retry after a failed write, in ms, because a full disk does not recover immediately. */
const GATE_RETRY_MS = 1_000;

/** Publishes artifacts together with everything that they trigger, in one commit. */
export class Publisher {
  readonly gates: Gates;
  readonly #options: PublisherOptions;
  readonly #listeners: PublishListener[] = [];

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

  /** Calls `listener` from now on. */
  listen(listener: PublishListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Creates an artifact from a draft without writing it.
   * @throws FlockError `not_a_draft` or `duplicate_artifact_type`.
   */
  prepare(draft: Draft, origin: Origin): Publication {
    assertDraft(draft, "publish");
    const { clock, maxInlinePayloadBytes, registry } = this.#options;
    const { type, artifactType } = draft;
    if (registry.types.get(type) !== artifactType) registry.shareType(artifactType);
    const published = registry.hooksOf(origin.producedBy)?.publish(draft, origin) ?? draft;
    return publicationOf(published, origin, clock.now(), maxInlinePayloadBytes);
  }

  /** Returns what each matching gate would do with a draft. Has no side effects. Throws like `prepare`. */
  dryRun(draft: Draft, origin: Origin): readonly DryRun[] {
    assertDraft(draft, "preview");
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
    const { journal, clock, maxInlinePayloadBytes } = this.#options;
    const publication = revealOf(hidden, clock.now(), maxInlinePayloadBytes);
    journal.write(publication.write);
    this.#offerRevealed(publication);
    return this.committed([{ activations: publication.activations }], () => {});
  }

  /** Offers an artifact that may have been stored before its type's schema changed. */
  #offerRevealed(publication: Publication): void {
    const { registry, log } = this.#options;
    const { artifact } = publication;
    const type = registry.types.get(artifact.type);
    try {
      this.#offer(publication, type ? takenUp(artifact, type) : artifact);
    } catch (err) {
      log.error({ err, artifact: artifact.id }, "artifact does not fit its type any more; no agent was triggered");
    }
  }

  #offer(publication: Publication, artifact = publication.artifact): void {
    const filled = this.gates.offer(artifact);
    if (filled.length > 0) publication.activations = filled.map(this.#activate);
  }

  readonly #activate = ({ subscription, artifacts }: Filled): Activation => {
    const { activations, journal, clock } = this.#options;
    const activation = activations.create(subscription, artifacts);
    journal.write(activationWrite(activation, clock.now()));
    return activation;
  };

  /**
   * Waits for the commit of this tick, then starts the activations of some publications. Resolves to the result of
   * `result`, or of `failed`.
   */
  committed<T>(publications: readonly Settled[], result: () => T, failed: (error: unknown) => T = fail): Promise<T> {
    const { journal, tracing, registry } = this.#options;
    return journal.committed().then(
      () => {
        for (const publication of publications) {
          const { activations, artifact } = publication;
          tracing.committed(publication);
          if (artifact) {
            registry.hooksOf(artifact.producedBy)?.published(artifact);
          }
          for (const activation of activations) for (const one of this.#listeners) one.activated?.(activation);
          if (artifact?.visibility.kind === "after") for (const one of this.#listeners) one.hidden?.(artifact);
        }
        return result();
      },
      (error) => {
        // The commit failed: reset gates that accepted its artifacts, and counts of its queued runs.
        for (const publication of publications) {
          tracing.lost(publication, error);
          for (const activation of publication.activations)
            for (const one of this.#listeners) one.abandoned?.(activation);
        }
        return failed(error);
      },
    );
  }

  /** Publishes what a gate reports, in the commit of this tick. The gate reports it again if the commit fails. */
  #report({ draft, correlationId, depth, visibility: seenBy }: GateAlert): void {
    const { tracing, log } = this.#options;
    const visibility = lastingOf(seenBy);
    const origin = { producedBy: EXTERNAL, correlationId, depth, tags: NO_TAGS, visibility };
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

function fail(error: unknown): never {
  throw error;
}
