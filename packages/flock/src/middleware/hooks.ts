import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import type { Clock } from "../core/clock.ts";
import { FlockError } from "../core/errors.ts";
import type { RunLog } from "../core/logger.ts";
import { readable } from "../core/wire-error.ts";
import type { AgentComponent, DraftOrigin, QueuedRun, Replacement } from "./agent-component.ts";

/** Computes what an agent has to say about artifacts. */
type Compute = (artifacts: readonly StoredArtifact[]) => unknown;

/** Makes drafts of what an agent has returned, or throws. */
type Check = (output: unknown) => readonly Draft[];

/** A value that a component is told of and may replace. */
type Replace<T> = (component: AgentComponent, value: T) => Replacement<T>;

/** The components of an agent, or those of a flock, as one. */
export class Hooks {
  /** From the outermost in. */
  readonly #components: readonly AgentComponent[];
  readonly #inside: readonly AgentComponent[];
  readonly #log: RunLog;
  /** Why a run must fail that could not be scheduled, by its id. */
  readonly #unscheduled = new Map<string, unknown>();

  private constructor(components: readonly AgentComponent[], clock: Clock, log: RunLog) {
    this.#components = components.toSorted((a, b) => a.priority - b.priority);
    this.#inside = this.#components.toReversed();
    this.#log = log;
    for (const component of components) component.clock = clock;
  }

  /** Undefined for no components: nobody is to pay for what is not there. */
  static of(components: readonly AgentComponent[], clock: Clock, log: RunLog): Hooks | undefined {
    return components.length > 0 ? new Hooks(components, clock, log) : undefined;
  }

  /** How many milliseconds a run has to wait yet. Never throws: a run that cannot be scheduled begins, and fails. */
  schedule(run: QueuedRun): number {
    let wait = 0;
    for (const component of this.#components) {
      if (!component.schedule) continue;
      try {
        const ms = component.schedule(run);
        if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new Error(`${ms} is no number of milliseconds`);
        wait = Math.max(wait, ms);
      } catch (error) {
        this.#unscheduled.set(run.runId, explain(component, "schedule", error));
        return 0;
      }
    }
    return wait;
  }

  /** Computes what a run brings, through all components. Nothing is waited for unless one of them stands around it. */
  evaluate(run: RunContext, compute: Compute, check: Check): unknown {
    if (this.#unscheduled.size > 0 && this.#unscheduled.has(run.runId)) {
      const error = this.#unscheduled.get(run.runId);
      this.#unscheduled.delete(run.runId);
      throw error;
    }
    const taken = this.#replace("consume", this.#components, run.artifacts, (component, artifacts) => {
      const other = component.consume?.(artifacts, run);
      if (other) assertSameTypes(artifacts, other);
      return other;
    });
    // A model and other components read them there.
    if (taken !== run.artifacts) Object.assign(run, { artifacts: taken });
    const around = this.#inside.filter(({ evaluate }) => evaluate);
    if (around.length === 0) return compute(taken);
    return around.reduce<() => Promise<readonly Draft[]>>(
      (next, component) => () => evaluateWith(component, run, next),
      async () => check(await compute(taken)),
    )();
  }

  /** Tells what a run spends. Throws what a component throws. */
  usage(amounts: Readonly<Record<string, number>>, run: RunContext): void {
    for (const component of this.#inside) {
      try {
        component.usage?.(amounts, run);
      } catch (error) {
        throw explain(component, "usage", error);
      }
    }
  }

  /** What is to be published in place of a draft. Throws what a component throws. */
  publish(draft: Draft, { producedBy, runId, correlationId }: DraftOrigin): Draft {
    const origin = { producedBy, ...(runId === undefined ? {} : { runId }), correlationId };
    return this.#replace("publish", this.#inside, draft, (component, before) => {
      const other = component.publish?.(before, origin);
      if (other && other.artifactType !== before.artifactType)
        throw new Error(`it gave a ${other.type} for a ${before.type}`);
      return other;
    });
  }

  /** Tells of an artifact on the blackboard. Never throws. */
  published(artifact: StoredArtifact): void {
    for (const component of this.#inside) {
      try {
        component.published?.(artifact);
      } catch (err) {
        this.#log.error({ err, component: component.name, artifactId: artifact.id }, "a component's published failed");
      }
    }
  }

  /** What is to be told of a failure. Never throws: an error of a component is told in its place. */
  error(failure: unknown, run: RunContext): unknown {
    let told = failure;
    for (const component of this.#inside) {
      try {
        told = component.error?.(told, run) ?? told;
      } catch (error) {
        told = explain(component, "error", error);
      }
    }
    return told;
  }

  /** These components around others: those of a flock around those of an agent. */
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

/** What `next` rejects with is not the component's own: it goes through as it is. */
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
    if (!Array.isArray(drafts)) throw new Error("it gives no list of drafts: return what next() gave, or []");
    return drafts;
  } catch (error) {
    throw others.has(error) || run.signal.aborted ? error : explain(component, "evaluate", error);
  }
}

function explain({ name }: AgentComponent, hook: string, thrown: unknown): unknown {
  const error = readable(thrown);
  if (error instanceof FlockError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FlockError("component_failed", `component ${name} failed in ${hook}: ${message}`, { cause: error });
}

function assertSameTypes(artifacts: readonly StoredArtifact[], others: readonly StoredArtifact[]): void {
  if (others.length === artifacts.length && artifacts.every(({ type }, i) => others[i]?.type === type)) return;
  const [was, is] = [artifacts, others].map((list) => list.map(({ type }) => type).join(" + ") || "nothing");
  throw new Error(`it gave ${is} for ${was}`);
}
