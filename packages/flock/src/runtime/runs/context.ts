import type { StepKind } from "@flock-ts/protocol";
import type { ModelChoice, ModelOptions } from "../../agents/model.ts";
import type { Prices } from "../../agents/prices.ts";
import type { RunContext, RunPublishOptions } from "../../agents/run-context.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import type { RunLog } from "../../core/logger.ts";
import type { Redaction } from "../../core/redaction.ts";
import type { BlackboardReader, ReadableStore } from "../../store/store.ts";
import { VisibleStore } from "../../store/visible-store.ts";
import type { Questions } from "../questions/questions.ts";
import type { Activation } from "./activation.ts";
import type { EarlyOutputDeps } from "./early-output.ts";
import { PersonWait } from "./person-wait.ts";
import type { Run } from "./run.ts";
import { STEPS, type Steps } from "./steps.ts";
import { WatchedPromise } from "./watched-promise.ts";

const NOTHING = Object.freeze({});
const KINDS: Readonly<Record<StepKind, true>> = { model: true, tool: true };
const NO_ARTIFACTS: readonly StoredArtifact[] = Object.freeze([]);

/** A run as its agent's function sees it. */
export class Context implements RunContext {
  readonly agent: string;
  readonly runId: string;
  readonly activationId: string;
  readonly correlationId: string;
  readonly attempt: number;
  readonly artifacts: readonly StoredArtifact[];
  given: Readonly<Record<string, unknown>> = NOTHING;
  readonly #run: Run;
  readonly #blackboard: BlackboardReader;
  readonly #logOf: (activation: Activation) => RunLog;
  readonly #questions: Questions;
  readonly #early: EarlyOutputDeps;
  #visible: ReadableStore | undefined;
  #log: RunLog | undefined;
  #stream: RunContext["stream"] | undefined;
  #addUsage: RunContext["addUsage"] | undefined;
  #step: RunContext["step"] | undefined;
  #askPerson: RunContext["askPerson"] | undefined;
  #publish: RunContext["publish"] | undefined;

  constructor(
    run: Run,
    blackboard: BlackboardReader,
    logOf: (activation: Activation) => RunLog,
    questions: Questions,
    early: EarlyOutputDeps,
  ) {
    const { agent, runId, id, correlationId, attempt, artifacts } = run.activation;
    this.agent = agent.name;
    this.runId = runId;
    this.activationId = id;
    this.correlationId = correlationId;
    this.attempt = attempt;
    this.artifacts = Object.freeze(artifacts);
    this.#blackboard = blackboard;
    this.#logOf = logOf;
    this.#questions = questions;
    this.#early = early;
    this.#run = run;
  }

  // What follows is made when it is first read: most runs never look at it. Functions may be taken out of the context and
  // called by themselves.

  get stream(): RunContext["stream"] {
    this.#stream ??= (text, options) => this.#run.stream.write(text, options);
    return this.#stream;
  }

  get addUsage(): RunContext["addUsage"] {
    this.#addUsage ??= (amounts) => this.#run.addUsage(amounts);
    return this.#addUsage;
  }

  get step(): RunContext["step"] {
    this.#step ??= (kind, name, work) => {
      checkStep(kind, name, work);
      const result = this.#run.steps.do(kind, name, work);
      // Its event reports the failure. A function that does not wait for it, or no longer, must not end the process.
      result.catch(() => {});
      return result;
    };
    return this.#step;
  }

  get askPerson(): RunContext["askPerson"] {
    if (!this.#askPerson) {
      let asked = 0;
      this.#askPerson = (type, options) => {
        const wait = new PersonWait(this.#run.occupancy);
        const answer = this.#questions.ask(this.#run, ++asked, type, options, wait);
        // A function that no longer waits for its answer must not crash the process when the run is stopped.
        answer.catch(() => {});
        return new WatchedPromise(answer, (source) => {
          wait.awaited();
          return source;
        });
      };
    }
    return this.#askPerson;
  }

  get publish(): RunContext["publish"] {
    if (!this.#publish) {
      const early = this.#run.openEarly(this.#early);
      this.#publish = ((draft: Draft, options?: RunPublishOptions) =>
        early.publish(draft, options)) as RunContext["publish"];
    }
    return this.#publish;
  }

  get published(): readonly StoredArtifact[] {
    return this.#run.early?.published ?? NO_ARTIFACTS;
  }

  get store(): ReadableStore {
    const run = this.#run;
    this.#visible ??= new VisibleStore(this.#blackboard, run.activation.agent.principal, (seen) => run.noteRead(seen));
    return this.#visible;
  }

  get log(): RunLog {
    this.#log ??= this.#logOf(this.#run.activation);
    return this.#log;
  }

  get model(): ModelChoice | undefined {
    return this.#run.activation.agent.model;
  }

  get modelOptions(): ModelOptions {
    return this.#run.activation.agent.modelOptions ?? NOTHING;
  }

  get prices(): Prices {
    return this.#run.activation.agent.prices ?? NOTHING;
  }

  get [STEPS](): Steps {
    return this.#run.steps;
  }

  get redaction(): Redaction | undefined {
    return this.#run.activation.agent.redaction;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }
}

function checkStep(kind: unknown, name: unknown, work: unknown): void {
  const problem = !Object.hasOwn(KINDS, String(kind))
    ? `its kind must be \`model\` or \`tool\`, not \`${String(kind)}\``
    : typeof name !== "string" || name === ""
      ? `its name must be a text, not \`${String(name)}\``
      : typeof work !== "function" && `its work must be a function: \`step("${kind}", "${name}", () => …)\``;
  if (problem) throw new FlockError("invalid_options", `Failed to begin a step: ${problem}.`);
}
