import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import type { Clock } from "../core/clock.ts";
import { FlockError } from "../core/errors.ts";
import type { RunLog } from "../core/logger.ts";
import { isPromise } from "../core/predicate.ts";
import { readable } from "../core/wire-error.ts";
import type { AgentComponent, DraftOrigin, QueuedRun, Replacement } from "./agent-component.ts";

/** Computes an agent's output from artifacts. */
type Compute = (artifacts: readonly StoredArtifact[]) => unknown;

/** Converts an agent's return value to drafts, or throws. */
type Check = (output: unknown) => readonly Draft[];

/** Calls a component with a value that it may replace. */
type Replace<T> = (component: AgentComponent, value: T) => Replacement<T>;

/** Combines the components of an agent, or those of the flock. */
export class Hooks {
  /** Outermost first. */
  readonly #components: readonly AgentComponent[];
  readonly #inner: readonly AgentComponent[];
  readonly #log: RunLog;
  /** Errors of `schedule` hooks by run id. The run fails with the error when it starts. */
  readonly #unscheduled = new Map<string, unknown>();

  private constructor(components: readonly AgentComponent[], clock: Clock, log: RunLog) {
    this.#components = components.toSorted((a, b) => a.priority - b.priority);
    this.#inner = this.#components.toReversed();
    this.#log = log;
    for (const component of components) component.clock = clock;
  }

  /** Returns undefined for no components, so that runs without them have no overhead. */
  static of(components: readonly AgentComponent[], clock: Clock, log: RunLog): Hooks | undefined {
    return components.length > 0 ? new Hooks(components, clock, log) : undefined;
  }

  /** Returns the remaining delay of a run, in ms. Never throws: a run whose hook fails starts at once, and fails. */
  schedule(run: QueuedRun): number {
    let wait = 0;
    for (const component of this.#components) {
      if (!component.schedule) continue;
      try {
        const ms = component.schedule(run);
        refusePromise(ms);
        if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY))
          throw new Error(`the delay must be a finite number ≥ 0, not \`${ms}\``);
        wait = Math.max(wait, ms);
      } catch (error) {
        this.#unscheduled.set(run.runId, explain(component, "schedule", error));
        return 0;
      }
    }
    return wait;
  }

  /** Computes a run's output through all components. Synchronous unless a component has an `evaluate` hook. */
  evaluate(run: RunContext, compute: Compute, check: Check): unknown {
    if (this.#unscheduled.size > 0 && this.#unscheduled.has(run.runId)) {
      const error = this.#unscheduled.get(run.runId);
      this.#unscheduled.delete(run.runId);
      throw error;
    }
    const taken = this.#replace("consume", this.#components, run.artifacts, (component, artifacts) => {
      const other = component.consume?.(artifacts, run);
      refusePromise(other);
      if (other) assertSameTypes(artifacts, other);
      return other;
    });
    // Models and other components read the artifacts from the context.
    if (taken !== run.artifacts) Object.assign(run, { artifacts: taken });
    const around = this.#inner.filter(({ evaluate }) => evaluate);
    if (around.length === 0) return compute(taken);
    return around.reduce<() => Promise<readonly Draft[]>>(
      (next, component) => () => evaluateWith(component, run, next),
      async () => check(await compute(taken)),
    )();
  }

  /** Passes usage to all components. Throws what a component throws. */
  usage(amounts: Readonly<Record<string, number>>, run: RunContext): void {
    for (const component of this.#inner) {
      try {
        refusePromise(component.usage?.(amounts, run));
      } catch (error) {
        throw explain(component, "usage", error);
      }
    }
  }

  /** Returns the draft to publish after all replacements. Throws what a component throws. */
  publish(draft: Draft, { producedBy, runId, correlationId }: DraftOrigin): Draft {
    const origin = { producedBy, ...(runId === undefined ? {} : { runId }), correlationId };
    return this.#replace("publish", this.#inner, draft, (component, before) => {
      const other = component.publish?.(before, origin);
      refusePromise(other);
      if (other && other.artifactType !== before.artifactType)
        throw new Error(`it returned \`${other.type}\` instead of \`${before.type}\``);
      return other;
    });
  }

  /** Notifies components of a committed artifact. Never throws. */
  published(artifact: StoredArtifact): void {
    for (const component of this.#inner) {
      try {
        refusePromise(component.published?.(artifact));
      } catch (err) {
        this.#log.error({ err, component: component.name, artifactId: artifact.id }, "failed to run published hook");
      }
    }
  }

  /** Returns the error to report. Never throws: an error in a hook replaces it. */
  error(failure: unknown, run: RunContext): unknown {
    let reported = failure;
    for (const component of this.#inner) {
      try {
        const other = component.error?.(reported, run);
        refusePromise(other);
        reported = other ?? reported;
      } catch (error) {
        reported = explain(component, "error", error);
      }
    }
    return reported;
  }

  /** Wraps the flock's components around those of an agent. */
  static around(
    outer: Hooks | undefined,
    inner: readonly AgentComponent[],
    clock: Clock,
    log: RunLog,
  ): Hooks | undefined {
    return inner.length === 0
      ? outer
      : Hooks.of([...new Set([...(outer ? outer.#components : []), ...inner])], clock, log);
  }

  #replace<T>(hook: string, components: readonly AgentComponent[], value: T, replace: Replace<T>): T {
    let current = value;
    for (const component of components) {
      try {
        current = (replace(component, current) as T | undefined) ?? current;
      } catch (error) {
        throw explain(component, hook, error);
      }
    }
    return current;
  }
}

/** Calls an `evaluate` hook. Errors that `next` rejected with are passed on unchanged. */
async function evaluateWith(
  component: AgentComponent,
  run: RunContext,
  next: () => Promise<readonly Draft[]>,
): Promise<readonly Draft[]> {
  const others = new Set<unknown>();
  try {
    const drafts: unknown = await component.evaluate?.(run, () =>
      next().catch((error: unknown) => {
        others.add(error);
        throw error;
      }),
    );
    if (!Array.isArray(drafts))
      throw new Error("it returned no list of drafts. Return the result of `next()` or `[]`.");
    return drafts;
  } catch (error) {
    throw others.has(error) || run.signal.aborted ? error : explain(component, "evaluate", error);
  }
}

/** Only `evaluate` may wait: the other hooks decide within a commit. */
function refusePromise(result: unknown): void {
  if (isPromise(result)) throw new Error("it returned a promise. Only `evaluate` can be async.");
}

function explain({ name }: AgentComponent, hook: string, thrown: unknown): unknown {
  const error = readable(thrown);
  if (error instanceof FlockError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FlockError("component_failed", `Component \`${name}\` failed in \`${hook}\`: ${message}`, {
    cause: error,
  });
}

function assertSameTypes(artifacts: readonly StoredArtifact[], others: readonly StoredArtifact[]): void {
  if (others.length === artifacts.length && artifacts.every(({ type }, i) => others[i]?.type === type)) return;
  const [expected, actual] = [artifacts, others].map((list) => list.map(({ type }) => type).join(" + ") || "nothing");
  throw new Error(`it returned ${actual} instead of ${expected}`);
}
