import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Clock } from "../core/clock.ts";
import { Recent } from "./recent.ts";
import { markFailed, tracerOfApplication, within } from "./tracer.ts";

/** A run, reduced to the fields of its span. */
export interface TracedRun {
  readonly id: string;
  readonly runId: string;
  readonly agent: { readonly name: string; readonly description?: string | null | undefined };
  readonly artifacts: readonly StoredArtifact[];
  readonly correlationId: string;
  readonly attempt: number;
  /** Parent of the run's span. */
  readonly cause?: SpanContext | undefined;
}

/** The end of a run, reduced to the fields of its span. */
export interface TracedEnd {
  readonly runId: string;
  readonly status: string;
  readonly error?: { readonly name: string };
  readonly produced: readonly string[];
  readonly usage?: Readonly<Record<string, number>>;
}

/** An artifact that is being published. */
export interface TracedPosting {
  readonly artifact: StoredArtifact;
  /** Span of this publish until it is committed. */
  span?: Span | undefined;
}

/**
 * Number of artifacts whose publish span is kept. Artifacts that wait longer in a gate link to their workflow instead.
 */
const MAX_PUBLISHED = 100_000;

/** Number of workflows whose first span is kept. An older workflow continues in a new trace. */
const MAX_WORKFLOWS = 10_000;

/** Maximum number of ids or links per span, the usual limit of SDKs. */
const MAX_LISTED = 128;

/**
 * Reports blackboard activity to the application's OpenTelemetry SDK: one workflow is one trace. Without an SDK, it
 * creates and keeps nothing.
 */
export class Tracing {
  readonly #clock: Clock;
  /** The publish span of an artifact, by artifact id. */
  readonly #published = new Recent<SpanContext>(MAX_PUBLISHED);
  /** The first span of a workflow, by correlation id. */
  readonly #workflows = new Recent<SpanContext>(MAX_WORKFLOWS);
  /** Spans of active runs, by run id. */
  readonly #runs = new Map<string, Span>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the span of an active run, or undefined. */
  spanOf(runId: string): Span | undefined {
    return this.#runs.get(runId);
  }

  /**
   * Starts the span of artifacts that are published together. Its parent is the publishing run, else the application's
   * active span, else the workflow. {@link committed} or {@link lost} ends it.
   */
  publish(publications: readonly TracedPosting[]): void {
    const tracer = tracerOfApplication();
    const [first] = publications;
    if (!tracer || !first) return;
    const { runId, correlationId } = first.artifact;
    const own = runId === undefined ? undefined : this.#runs.get(runId);
    const known = this.#workflows.get(correlationId);
    const parent = own ? trace.setSpan(ROOT_CONTEXT, own) : this.#outside(known);
    const types = [...new Set(publications.map(({ artifact }) => artifact.type))];
    const span = tracer.startSpan(
      types.length === 1 ? `publish ${types[0]}` : "publish",
      {
        kind: SpanKind.PRODUCER,
        attributes: {
          "gen_ai.conversation.id": correlationId,
          "flock.artifact.types": types,
          ...listed(
            "flock.artifact.ids",
            publications.map(({ artifact }) => artifact.id),
          ),
        },
        links: linksTo(trace.getSpanContext(parent), known && !inTrace(parent, known) ? [known] : []),
      },
      parent,
    );
    const spanContext = span.spanContext();
    first.span = span;
    for (const { artifact } of publications) this.#published.set(artifact.id, spanContext);
    if (!known) this.#workflows.set(correlationId, spanContext);
  }

  /** Ends the span of committed artifacts. */
  committed({ span }: Pick<TracedPosting, "span">): void {
    span?.end();
  }

  /** Ends the span of artifacts that could not be written. */
  lost({ span }: Pick<TracedPosting, "span">, error: unknown): void {
    if (!span) return;
    markFailed(span, error instanceof Error ? error.name : "_OTHER");
    span.end();
  }

  /**
   * Returns the parent span of a run that artifacts triggered: the publish of the last artifact in the run's workflow.
   * A gate adds its own span in between, linked to the other artifacts.
   */
  cause(
    subscription: { readonly agentId: string; readonly gate: string; readonly isSingle: boolean },
    artifacts: readonly StoredArtifact[],
    correlationId: string,
  ): SpanContext | undefined {
    const tracer = tracerOfApplication();
    if (!tracer) return undefined;
    const last = artifacts.findLast((artifact) => artifact.correlationId === correlationId);
    const parent = (last && this.#published.get(last.id)) ?? this.#workflows.get(correlationId);
    if (subscription.isSingle) return parent;
    const begun = Date.parse(artifacts[0]?.createdAt ?? "");
    const attributes: Attributes = {
      "gen_ai.agent.name": subscription.agentId,
      "gen_ai.conversation.id": correlationId,
      "flock.gate": subscription.gate,
      "flock.gate.waited_ms": Math.max(0, this.#clock.now() - begun),
      ...listed(
        "flock.artifact.ids",
        artifacts.map(({ id }) => id),
      ),
    };
    const others = artifacts.flatMap(({ id }) => this.#published.get(id) ?? []);
    const span = tracer.startSpan(
      `gate ${subscription.agentId}`,
      { attributes, links: linksTo(parent, others) },
      under(parent),
    );
    span.end();
    return span.spanContext();
  }

  /**
   * Starts the span of a run and runs its work inside, so that spans of the application become children. {@link ended}
   * ends it.
   */
  run<T>(run: TracedRun, work: () => T): T {
    const tracer = tracerOfApplication();
    if (!tracer) return work();
    const { agent, runId, id, artifacts, correlationId, attempt } = run;
    const known = this.#workflows.get(correlationId);
    const attributes: Attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": agent.name,
      ...(agent.description ? { "gen_ai.agent.description": agent.description } : {}),
      "gen_ai.conversation.id": correlationId,
      "flock.run.id": runId,
      "flock.run.attempt": attempt,
      "flock.activation.id": id,
      ...listed(
        "flock.consumed.ids",
        artifacts.map((artifact) => artifact.id),
      ),
      "flock.consumed.types": [...new Set(artifacts.map(({ type }) => type))],
    };
    const span = tracer.startSpan(`invoke_agent ${agent.name}`, { attributes }, under(run.cause ?? known));
    if (!known) this.#workflows.set(correlationId, span.spanContext());
    this.#runs.set(runId, span);
    return within(span, work);
  }

  /** Ends the span of a run whose end is committed. */
  ended({ runId, status, error, produced, usage = {} }: TracedEnd): void {
    const span = this.#runs.get(runId);
    if (!span) return;
    this.#runs.delete(runId);
    span.setAttribute("flock.run.status", status);
    if (produced.length > 0) span.setAttributes(listed("flock.produced.ids", produced));
    const { input_tokens: input, output_tokens: output } = usage;
    if (input !== undefined) span.setAttribute("gen_ai.usage.input_tokens", input);
    if (output !== undefined) span.setAttribute("gen_ai.usage.output_tokens", output);
    // A cancelled run is not an error.
    if (status === "timeout") markFailed(span, "timeout");
    else if (status === "error") markFailed(span, error?.name ?? "_OTHER");
    span.end();
  }

  #outside(known: SpanContext | undefined): Context {
    return trace.getActiveSpan() ? context.active() : under(known);
  }
}

function under(parent: SpanContext | undefined): Context {
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

function inTrace(parent: Context, { traceId }: SpanContext): boolean {
  return trace.getSpanContext(parent)?.traceId === traceId;
}

function linksTo(parent: SpanContext | undefined, others: readonly SpanContext[]): Link[] {
  const bySpan = new Map(others.map((one) => [one.spanId, one]));
  if (parent) bySpan.delete(parent.spanId);
  return [...bySpan.values()].slice(0, MAX_LISTED).map((one) => ({ context: one }));
}

function listed(name: string, ids: readonly string[]): Attributes {
  return { [name]: ids.slice(0, MAX_LISTED) };
}
