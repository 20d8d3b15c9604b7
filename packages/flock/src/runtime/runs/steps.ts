import {
  type EventDraft,
  MAX_NAME_LENGTH,
  type RunStatus,
  type StepKind,
  type StepStatus,
  type WireError,
} from "@flock-ts/protocol";
import type { Model } from "../../agents/model.ts";
import { costOf, type Prices, priceOf } from "../../agents/prices.ts";
import type { RunContext, RunStep } from "../../agents/run-context.ts";
import { type Clock, elapsed } from "../../core/clock.ts";
import { beginStep, type Place, placeOfSteps, type SpanFacts, type StepSpan } from "../../telemetry/step-span.ts";
import { currentActivity } from "./current-run.ts";
import type { Activity, Occupancy } from "./occupancy.ts";

/** A step of a run, as an event. */
export type StepEvent = Extract<EventDraft, { type: "run_step_started" | "run_step_completed" }>;

/** What a run tells its steps of itself. */
export interface SteppingRun {
  readonly ids: Pick<StepEvent, "agent_id" | "run_id" | "correlation_id">;
  readonly clock: Clock;
  readonly prices: Prices;
  /** Why it was stopped; undefined while it is not. */
  readonly stopped: () => Error | undefined;
  readonly emit: (event: StepEvent) => void;
  readonly wireErrorOf: (error: unknown) => WireError;
  readonly addUsage: (amounts: Readonly<Record<string, number>>) => void;
  readonly occupancy: Occupancy;
  /** Calls work that belongs to an activity of the run. */
  readonly within: <T>(activity: Activity, work: () => T) => T;
}

/** What a step does. */
export interface StepAbout {
  readonly kind: StepKind;
  /** The model's id, or the tool's name. */
  readonly name: string;
  /** For a model: what it may be priced by. Default: `name`. */
  readonly model?: Model;
  /** Where its span belongs. Default: under what is active. */
  readonly place?: Place;
  /** Further attributes of its span. */
  readonly attributes?: SpanFacts;
}

/** Under this a run's context has its steps, for engines. */
export const STEPS = Symbol("steps");

/** The steps of the run that a context is of; undefined for a context made outside a run. */
export function stepsOf(context: RunContext): Steps | undefined {
  return (context as { readonly [STEPS]?: Steps })[STEPS];
}

/** What one run calls, models and tools: the one place where that becomes events and spans. */
export class Steps {
  readonly run: SteppingRun;
  readonly #open = new Set<Step>();
  #next = 0;
  #ended = false;

  constructor(run: SteppingRun) {
    this.run = run;
  }

  /** A step begins, once the run has its slot. Rejects when the run is stopped before. */
  async begin(about: StepAbout): Promise<Step> {
    const { occupancy } = this.run;
    const activity = occupancy.begin(currentActivity());
    const returning = occupancy.occupied;
    if (returning) {
      try {
        await returning;
      } catch (reason) {
        activity.end();
        throw reason;
      }
    }
    const step = new Step(this, about, this.#next++, activity);
    if (this.#ended) step.abandon("success");
    else this.#open.add(step);
    step.tell();
    return step;
  }

  /** Does something as a step. */
  async do<T>(kind: StepKind, name: string, work: (step: RunStep) => T | PromiseLike<T>): Promise<T> {
    const step = await this.begin({ kind, name });
    try {
      // Waits inside the step, so that a question that the work returns is one of the step.
      const result = await step.within(async () => await work(step));
      step.end();
      return result;
    } catch (error) {
      step.fail(error);
      throw error;
    }
  }

  /** Tells of a step, until the run has ended: what is open then ends with it for everyone who watches. */
  emit(event: StepEvent): void {
    if (!this.#ended) this.run.emit(event);
  }

  /** A step has ended. */
  ended(step: Step): void {
    this.#open.delete(step);
  }

  /** The run has ended, and with it the steps that are open. */
  end(status: RunStatus): void {
    this.#ended = true;
    for (const step of this.#open) step.abandon(status);
    this.#open.clear();
  }
}

/** A call of a model or a tool that goes on. */
export class Step implements RunStep {
  readonly #steps: Steps;
  readonly #about: StepAbout;
  readonly #ids: Pick<StepEvent, "agent_id" | "run_id" | "correlation_id" | "step" | "kind" | "name">;
  readonly #span: StepSpan | undefined;
  readonly #activity: Activity;
  readonly #begun: number;
  #usage: Record<string, number> | undefined;
  #ended = false;

  constructor(steps: Steps, about: StepAbout, step: number, activity: Activity) {
    const { kind, name, place = placeOfSteps(), attributes } = about;
    const { ids, clock } = steps.run;
    this.#steps = steps;
    this.#about = about;
    this.#activity = activity;
    this.#ids = { ...ids, step, kind, name: name.slice(0, MAX_NAME_LENGTH) };
    this.#span = beginStep({ kind, name, agent: ids.agent_id, correlationId: ids.correlation_id, place, attributes });
    this.#begun = elapsed(clock);
  }

  /** Tells that it has begun. */
  tell(): void {
    this.#steps.emit({ type: "run_step_started", ...this.#ids });
  }

  /** Does something as part of the step. */
  within<T>(work: () => T): T {
    const span = this.#span;
    return this.#steps.run.within(this.#activity, span ? () => span.within(work) : work);
  }

  /** Adds to what its span tells. */
  set(attributes: SpanFacts): void {
    this.#span?.set(attributes);
  }

  /** Adds to what the step has spent, and with it the run. What a model's tokens cost is added where its price is known. */
  addUsage(amounts: Readonly<Record<string, number>>): void {
    if (this.#ended) return;
    const spent = this.#priced(amounts);
    const sums = (this.#usage ??= {});
    for (const [name, amount] of Object.entries(spent)) {
      if (Number.isFinite(amount)) sums[name] = (sums[name] ?? 0) + amount;
    }
    this.#steps.run.addUsage(spent);
  }

  /** It has come to its end. */
  end(): void {
    if (!this.#finish("success")) return;
    this.#span?.end();
  }

  /** It has come to nothing. Who stops a run has not found an error. */
  fail(error: unknown): void {
    const stopped = this.#steps.run.stopped();
    const wireError = stopped ? undefined : this.#steps.run.wireErrorOf(error);
    if (!this.#finish(stopped ? "cancelled" : "error", wireError)) return;
    this.#span?.fail(stopped ?? error, stopped !== undefined);
  }

  /** Its run has ended first. Reports no end of the step: it ends with the run for everyone who watches. */
  abandon(status: RunStatus): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#activity.end();
    this.#span?.abandon(status);
  }

  #priced(amounts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    const { kind, name, model = name } = this.#about;
    const price = kind === "model" && amounts.cost === undefined ? priceOf(model, this.#steps.run.prices) : undefined;
    const { input_tokens: input = 0, output_tokens: output = 0 } = amounts;
    return price ? { ...amounts, cost: costOf(price, { input, output }) } : amounts;
  }

  /** Whether it had not ended before. */
  #finish(status: StepStatus, error?: WireError): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#activity.end();
    this.#steps.ended(this);
    this.#steps.emit({
      type: "run_step_completed",
      ...this.#ids,
      duration_ms: Math.round((elapsed(this.#steps.run.clock) - this.#begun) * 1000) / 1000,
      status,
      ...(this.#usage ? { usage: this.#usage } : {}),
      ...(error ? { error } : {}),
    });
    return true;
  }
}
