import type { StepKind } from "@flock/protocol";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import type { Redaction } from "../redaction.ts";
import type { ReadableStore, Store } from "../store/store.ts";
import { VisibleStore } from "../store/visible-store.ts";
import type { Model } from "./engine.ts";
import type { Prices } from "./prices.ts";
import type { AskOptions, Questions } from "./questions.ts";
import type { Run } from "./run.ts";
import type { RunContext, RunLog, RunStep, StreamOptions } from "./run-context.ts";
import { STEPS, type Steps } from "./steps.ts";

const NOTHING = Object.freeze({});

/** A run as its agent's function sees it. */
export class Context implements RunContext {
  readonly agent: string;
  readonly runId: string;
  readonly activationId: string;
  readonly correlationId: string;
  readonly attempt: number;
  readonly artifacts: readonly StoredArtifact[];
  given: Readonly<Record<string, unknown>> = NOTHING;
  readonly stream: (text: string, options?: StreamOptions) => void;
  readonly addUsage: (amounts: Readonly<Record<string, number>>) => void;
  readonly step: <T>(kind: StepKind, name: string, work: (step: RunStep) => T | PromiseLike<T>) => Promise<T>;
  readonly askPerson: <T extends AnyArtifactType>(type: T, asked: AskOptions<T>) => Promise<PayloadOf<T>>;
  readonly #run: Run;
  readonly #store: Store;
  readonly #logOf: () => RunLog;
  #visible: ReadableStore | undefined;
  #log: RunLog | undefined;

  constructor(run: Run, store: Store, logOf: () => RunLog, questions: Questions) {
    const { agent, runId, id, correlationId, attempt, artifacts } = run.activation;
    this.agent = agent.name;
    this.runId = runId;
    this.activationId = id;
    this.correlationId = correlationId;
    this.attempt = attempt;
    this.artifacts = artifacts;
    this.#store = store;
    this.#logOf = logOf;
    // May be taken out of the context and called by itself.
    this.stream = (text, options) => run.stream.write(text, options);
    this.addUsage = (amounts) => run.addUsage(amounts);
    this.step = (kind, name, work) => run.steps.do(kind, name, work);
    let asked = 0;
    this.askPerson = (type, options) => {
      const answer = questions.ask(run, ++asked, type, options);
      // A function that no longer waits for its answer shall not bring the process down when the run is stopped.
      answer.catch(() => {});
      return answer;
    };
    this.#run = run;
  }

  /** Made when it is first read: most runs never look at it. */
  get store(): ReadableStore {
    const run = this.#run;
    this.#visible ??= new VisibleStore(this.#store, run.activation.agent.principal, (seen) => run.noteRead(seen));
    return this.#visible;
  }

  get log(): RunLog {
    this.#log ??= this.#logOf();
    return this.#log;
  }

  get model(): Model | undefined {
    return this.#run.activation.agent.model;
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
