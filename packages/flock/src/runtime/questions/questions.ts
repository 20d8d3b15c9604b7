import { type EventOf, type LastingVisibility, maySee, type Principal } from "@flock-ts/protocol";
import { z } from "zod";
import type { AskOptions } from "../../agents/ask-options.ts";
import { type AnyArtifactType, Draft, type PayloadOf } from "../../blackboard/artifact-type.ts";
import { canonicalJson } from "../../blackboard/json.ts";
import { lastingOf } from "../../blackboard/visibility.ts";
import type { Clock } from "../../core/clock.ts";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { RunLog } from "../../core/logger.ts";
import { isoTime, timestamp } from "../../core/time.ts";
import { backoff } from "../../store/backoff.ts";
import { writeOf } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import { isRefusal } from "../../store/refusal.ts";
import type { QuestionClosure, QuestionRecord, WorkStore } from "../../store/store.ts";
import type { Origin, Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Registry } from "../registry.ts";
import { currentRun } from "../runs/current-run.ts";
import type { PersonWait } from "../runs/person-wait.ts";
import type { Run } from "../runs/run.ts";
import type { StoredQuestion } from "./person-question.ts";
import { PersonQuestion } from "./person-question.ts";

/** What questions work with. */
export interface QuestionsOptions {
  readonly left: { readonly questions: readonly QuestionRecord[] };
  readonly work: Pick<WorkStore, "question" | "questionsOf">;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly publisher: Pick<Publisher, "prepare" | "post" | "committed">;
  readonly registry: Registry;
}

/** A question, as this process knows it. */
interface Asked extends Omit<QuestionRecord, "closure"> {
  readonly artifact: StoredQuestion;
  /** Resolves once it is on the blackboard. */
  readonly written: Promise<void>;
  /** How it is closed, or is about to be while `closing`. */
  closure: QuestionClosure | undefined;
  closing: Promise<void> | undefined;
  /** Lets go on who waits for it. */
  readonly waiting: Set<(closure: QuestionClosure) => void>;
}

/** The longest time to answer: 100 years. Dates of years beyond 9999 are no timestamps. */
const MAX_DEADLINE_MS = 100 * 365 * 86_400_000;

const askSchema = z
  .strictObject({
    question: z.string().min(1),
    details: z.unknown().optional(),
    deadline: z.number().min(0).max(MAX_DEADLINE_MS).optional(),
    default: z.instanceof(Draft, { message: "must be a draft of the answer's type" }).optional(),
    key: z.string().min(1).max(200).optional(),
    schema: z.record(z.string(), z.unknown()).optional(),
  })
  .refine((asked) => asked.default === undefined || asked.deadline !== undefined, {
    path: ["deadline"],
    message: "say when the default counts as the answer",
  });

/** Begins the keys of questions that are known by their number. */
const NUMBER_MARK = "\u0001";

const NO_TAGS: readonly string[] = [];
const WRITTEN = Promise.resolve();

/** What runs ask people, from the question to its end, across restarts. */
export class Questions {
  readonly #options: QuestionsOptions;
  /** The questions of work that has not ended. */
  readonly #byId = new Map<string, Asked>();
  /** The same by activation, in the order in which they were asked. */
  readonly #byActivation = new Map<string, Asked[]>();
  /** Activations whose questions are being read. */
  readonly #reviving = new Map<string, Promise<void>>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
    for (const record of options.left.questions) this.#remember(askedBefore(record));
  }

  /** Asks on behalf of a run; `number`: the index of this question in the run, `wait`: how the run waits for the answer. See `RunContext.askPerson`. */
  async ask<T extends AnyArtifactType>(
    run: Run,
    number: number,
    type: T,
    options: AskOptions<T>,
    wait: PersonWait,
  ): Promise<PayloadOf<T>> {
    const { agent } = run.activation;
    const asked = checkOptions(`agent ${agent.name}: askPerson`, askSchema, options);
    if (asked.default && asked.default.type !== type.typeName) {
      throw new FlockError(
        "invalid_options",
        `Invalid options for \`askPerson\` in agent \`${agent.name}\`: \`default\` is a \`${asked.default.type}\`. Pass a \`${type.typeName}\`, as the answer is.`,
      );
    }
    run.signal.throwIfAborted();
    this.#options.registry.shareType(type);
    const { id, attempt } = run.activation;
    if (attempt > 1 && !this.#byActivation.has(id)) {
      await this.#revive(id);
      run.signal.throwIfAborted();
    }
    const question = this.#before(run, number, type, asked) ?? this.#post(run, number, type, asked);
    await question.written;
    await question.closing?.catch(() => {});
    const closure = question.closure ?? (await this.#wait(run, question, asked.default, wait));
    if (closure.answer) return type.decode(closure.answer.payload) as PayloadOf<T>;
    throw new FlockError(
      "question_expired",
      `Agent \`${agent.name}\` received no answer to ${JSON.stringify(asked.question)} by ${question.artifact.payload.deadline}. Give \`askPerson\` a \`default\`, or a longer \`deadline\`.`,
    );
  }

  /** What is open and a principal may see, oldest first. */
  open(as: Principal): StoredQuestion[] {
    const now = this.#options.clock.now();
    return [...this.#byId.values()]
      .filter(({ closure, artifact }) => !closure && artifact.seq > 0 && !hasPassed(artifact, now))
      .map(({ artifact }) => artifact)
      .filter(({ visibility }) => maySee(as, visibility));
  }

  /**
   * Answers a question on behalf of a principal. `draftFor` makes the answer, of the type that the question names.
   * @throws FlockError `not_found`, `conflict` when it is closed, `invalid_request`, or what `draftFor` throws.
   */
  async answer(
    id: string,
    draftFor: (answerType: string) => Draft,
    as: Principal,
    idempotencyKey?: string,
  ): Promise<Publication> {
    const question = await this.#find(id);
    if (!question || question.artifact.seq === 0 || !maySee(as, question.artifact.visibility))
      throw new FlockError("not_found", `Unknown question: ${JSON.stringify(id)}.`);
    // Whether another answer, which came first, is valid is known when it is written.
    while (question.closing) await question.closing.catch(() => {});
    const { artifact, closure } = question;
    if (closure) throw new FlockError("conflict", `Cannot answer question ${id}: it ${describeClosure(closure)}.`);
    const now = this.#options.clock.now();
    if (hasPassed(artifact, now)) {
      throw new FlockError("conflict", `Cannot answer question ${id}: its deadline was ${artifact.payload.deadline}.`);
    }
    const draft = draftFor(artifact.payload.answer_type);
    if (draft.type !== artifact.payload.answer_type) {
      throw new FlockError(
        "invalid_request",
        `Cannot answer question ${id} with a \`${draft.type}\`: it asks for a \`${artifact.payload.answer_type}\`.`,
      );
    }
    const { correlationId, visibility } = artifact;
    const publication = this.#options.publisher.prepare(draft, {
      producedBy: "external",
      correlationId,
      depth: currentRun()?.activation.depth,
      tags: NO_TAGS,
      visibility,
      idempotencyKey,
    });
    const by = as.kind === "owner" ? "owner" : as.name;
    await this.#close(question, { status: "answered", at: timestamp(now), by, answer: publication.artifact }, [
      publication,
    ]);
    return publication;
  }

  /** Closes what is still open of work that ends, in the commit of this tick. */
  withdraw(activationId: string): void {
    const asked = this.#byActivation.get(activationId);
    if (!asked) return;
    // A withdrawal that is lost with its commit comes again with the end of the work.
    for (const question of asked) if (!question.closure) this.#withdraw(question).catch(() => {});
    // From then on the store has them.
    this.#options.journal.committed().then(
      () => {
        this.#byActivation.delete(activationId);
        for (const { artifact } of asked) this.#byId.delete(artifact.id);
      },
      () => {},
    );
  }

  /** Work that had ended runs again: the store has its questions. */
  #revive(activationId: string): Promise<void> {
    let reviving = this.#reviving.get(activationId);
    if (!reviving) {
      reviving = this.#options.work
        .questionsOf(activationId)
        .then((records) => {
          if (this.#byActivation.has(activationId)) return;
          for (const record of records) this.#remember(askedBefore(record));
        })
        .finally(() => this.#reviving.delete(activationId));
      this.#reviving.set(activationId, reviving);
    }
    return reviving;
  }

  async #find(id: string): Promise<Asked | undefined> {
    const known = this.#byId.get(id);
    if (known) return known;
    const kept = await this.#options.work.question(id);
    return this.#byId.get(id) ?? (kept && askedBefore(kept));
  }

  #remember(question: Asked): Asked {
    this.#byId.set(question.artifact.id, question);
    const asked = this.#byActivation.get(question.activationId);
    if (asked) asked.push(question);
    else this.#byActivation.set(question.activationId, [question]);
    return question;
  }

  /**
   * The same question, if an earlier attempt has asked it. What has other words now is another question, which a person has
   * not answered: the old one is withdrawn. So is one whose answer has another form since a deploy.
   */
  #before(run: Run, number: number, type: AnyArtifactType, asked: z.output<typeof askSchema>): Asked | undefined {
    const key = asked.key ?? NUMBER_MARK + number;
    const before = this.#byActivation
      .get(run.activation.id)
      ?.findLast((one) => one.key === key && one.closure?.status !== "withdrawn");
    if (!before) return undefined;
    const { payload } = before.artifact;
    const isSame =
      asked.key === undefined
        ? JSON.stringify([payload.question, payload.details, payload.answer_type]) ===
          JSON.stringify([asked.question, asked.details, type.typeName])
        : payload.answer_type === type.typeName;
    if (isSame && fitsForm(before, type, asked.schema)) return before;
    if (isSame || asked.key === undefined) {
      // If that cannot be written, the end of the run withdraws it.
      if (!before.closure) this.#withdraw(before).catch(() => {});
      return undefined;
    }
    throw new FlockError(
      "question_wrong",
      `Agent \`${run.activation.agent.name}\` cannot ask for a \`${type.typeName}\` under the key ${JSON.stringify(key)}: it has asked for a \`${payload.answer_type}\` under it. Give each question its own key.`,
    );
  }

  #post(run: Run, number: number, type: AnyArtifactType, asked: z.output<typeof askSchema>): Asked {
    const { clock, journal, publisher } = this.#options;
    const { id: activationId, runId, agent } = run.activation;
    const { question, details, deadline, key = NUMBER_MARK + number } = asked;
    const draft = PersonQuestion({
      question,
      details,
      answer_type: type.typeName,
      answer_schema: asked.schema ?? type.jsonSchema,
      deadline: deadline === undefined ? undefined : isoTime(clock.now() + deadline),
      default: asked.default?.stored,
      asked_by: agent.name,
      run_id: runId,
      activation_id: activationId,
      key: asked.key ?? String(number),
    });
    // A question may say anything that its run knows.
    const publication = publisher.prepare(draft, byAgent(run, lastingOf(run.saidTo)));
    const artifact = publication.artifact as StoredQuestion;
    publisher.post(publication);
    journal.write({ kind: "question", artifact, activationId, key });
    const asking: Asked = {
      artifact,
      activationId,
      key,
      written: publisher.committed(
        [publication],
        () => {},
        (error) => {
          this.#forget(asking);
          throw error;
        },
      ),
      closure: undefined,
      closing: undefined,
      waiting: new Set(),
    };
    return this.#remember(asking);
  }

  #forget(question: Asked): void {
    this.#byId.delete(question.artifact.id);
    const asked = this.#byActivation.get(question.activationId);
    asked?.splice(asked.indexOf(question), 1);
  }

  /** Resolves when the question is closed and its run may go on. */
  #wait(run: Run, question: Asked, fallback: Draft | undefined, wait: PersonWait): Promise<QuestionClosure> {
    const { clock } = this.#options;
    const { signal } = run;
    const { deadline } = question.artifact.payload;
    const { promise, resolve, reject } = Promise.withResolvers<QuestionClosure>();
    let stopTimer: (() => void) | undefined;
    let failures = 0;
    const expireIn = (ms: number): void => {
      const expire = () =>
        this.#expire(run, question, fallback).then((isWritten) => {
          if (!isWritten && !signal.aborted) expireIn(backoff(++failures));
        }, reject);
      stopTimer = clock.after(ms, () => void expire(), true);
    };
    if (deadline !== undefined) expireIn(Date.parse(deadline) - clock.now());
    wait.open();
    const end = () => {
      stopTimer?.();
      question.waiting.delete(onClosed);
      signal.removeEventListener("abort", stop);
    };
    /** At once, so that the flock does not count as idle between the answer and what comes of it. */
    const onClosed = (closure: QuestionClosure): void => {
      // The run that asked has ended: what its function still waits for never comes.
      if (closure.status === "withdrawn") return end();
      const returning = wait.close();
      if (returning) returning.then(() => resolve(closure), reject);
      else resolve(closure);
    };
    const stop = () => {
      reject(signal.reason);
    };
    question.waiting.add(onClosed);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    return promise.finally(end);
  }

  /** Returns whether the question is closed; false when that could not be written and has to be tried again. */
  async #expire(run: Run, question: Asked, fallback: Draft | undefined): Promise<boolean> {
    // An answer that was in time is on its way.
    await question.closing?.catch(() => {});
    if (question.closure) return true;
    const { publisher, clock } = this.#options;
    const publications = fallback ? [publisher.prepare(fallback, byAgent(run, question.artifact.visibility))] : [];
    const answer = publications[0]?.artifact;
    try {
      await this.#close(question, { status: "expired", at: timestamp(clock.now()), answer }, publications);
      return true;
    } catch (error) {
      if (isRefusal(error)) throw error;
      return false;
    }
  }

  #withdraw(question: Asked): Promise<void> {
    return this.#close(question, { status: "withdrawn", at: timestamp(this.#options.clock.now()) }, []);
  }

  #close(question: Asked, closure: QuestionClosure, publications: readonly Publication[]): Promise<void> {
    const { publisher, journal } = this.#options;
    const { artifact } = question;
    question.closure = closure;
    for (const publication of publications) publisher.post(publication);
    const event: EventOf<"question_closed"> = {
      type: "question_closed",
      seq: 0,
      timestamp: closure.at,
      question_id: artifact.id,
      agent_id: artifact.payload.asked_by,
      run_id: artifact.payload.run_id,
      correlation_id: artifact.correlationId,
      status: closure.status,
      answer_id: closure.answer?.id,
      answered_by: closure.by,
      visibility: artifact.visibility.kind === "public" ? undefined : (artifact.visibility as LastingVisibility),
    };
    journal.write(writeOf(event));
    journal.write({ kind: "question_closed", artifact, closure });
    const closing = publisher.committed(
      publications,
      () => {
        question.closing = undefined;
        for (const onClosed of question.waiting) onClosed(closure);
      },
      (error) => {
        question.closing = undefined;
        question.closure = undefined;
        throw error;
      },
    );
    question.closing = closing;
    return closing;
  }
}

/** A question that an earlier process has asked. */
function askedBefore({ artifact, activationId, key, closure }: QuestionRecord): Asked {
  return {
    artifact: artifact as StoredQuestion,
    activationId,
    key,
    written: WRITTEN,
    closure,
    closing: undefined,
    waiting: new Set(),
  };
}

function byAgent(
  { activation: { agent, runId, correlationId, depth } }: Run,
  visibility: Origin["visibility"],
): Origin {
  return { producedBy: agent.name, runId, correlationId, depth, tags: agent.tags, visibility };
}

/** Whether the form that people have seen, or the answer that they have given, fits the answer's type of today. */
function fitsForm(
  { artifact, closure }: Asked,
  type: AnyArtifactType,
  schema: Readonly<Record<string, unknown>> = type.jsonSchema,
): boolean {
  if (!closure) return canonicalJson(artifact.payload.answer_schema) === canonicalJson(schema);
  if (!closure.answer) return true;
  try {
    type.takeUp(closure.answer.payload);
    return true;
  } catch {
    return false;
  }
}

function hasPassed({ payload: { deadline } }: StoredQuestion, now: number): boolean {
  return deadline !== undefined && Date.parse(deadline) <= now;
}

function describeClosure({ status, at, by }: QuestionClosure): string {
  if (status === "answered") return `was answered by ${by} at ${at}`;
  return status === "expired"
    ? `expired at ${at}`
    : `was withdrawn at ${at}, because the run that asked no longer waits for it`;
}
