import type { AgentPrincipal, LastingVisibility } from "@flock-ts/protocol";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import type { Redaction } from "../core/redaction.ts";
import type { Hooks } from "../middleware/hooks.ts";
import type { BestOf } from "./best-of-options.ts";
import type { CircuitLimits } from "./circuit-options.ts";
import type { ContextProviders } from "./context-provider.ts";
import type { Inputs } from "./inputs.ts";
import type { Model } from "./model.ts";
import type { Outputs } from "./outputs.ts";
import type { Prices } from "./prices.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { RunContext } from "./run-context.ts";
import type { Schedule } from "./schedule.ts";
import type { Subscription } from "./subscription.ts";
import type { ToolSource, Tools } from "./tools.ts";

type KeysOf<U> = U extends readonly unknown[] ? never : U extends unknown ? keyof U : never;

/**
 * Alternatives that can be taken apart by destructuring: what another alternative brings is `undefined` here. An array
 * of groups, from a `batch` of several types, stays what it is.
 */
export type Alternatives<U, All = U> = U extends readonly unknown[]
  ? U
  : U & { readonly [K in Exclude<KeysOf<All>, keyof U>]?: undefined };

/** What a run gives back: a draft or several of the types that the agent publishes; `[]` when there is nothing to say. */
// biome-ignore lint/suspicious/noConfusingVoidType: an agent that publishes nothing may end without a return
export type OutputOf<Out> = [Out] extends [never] ? void : Out | readonly Out[];

/** What computes an agent's output. A generator's strings are streamed; what it returns is published. */
export type RunFunction<In, Out, Given = Readonly<Record<string, unknown>>> = (
  inputs: In,
  context: RunContext<Given>,
) => OutputOf<Out> | Promise<OutputOf<Out>> | AsyncGenerator<string, OutputOf<Out>, undefined>;

/** An agent, declared and ready to run. */
export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** What it is, to those who ask what it may see. */
  readonly principal: AgentPrincipal;
  /** Who may see that there is such an agent, and what its artifacts are that say nothing else: for one of a tenant, the tenant. */
  readonly visibility: LastingVisibility;
  readonly subscriptions: readonly Subscription[];
  /** The subscriptions that time fills, and when. */
  readonly schedules: ReadonlyMap<Subscription, Schedule>;
  /** Every type that some subscription names. */
  readonly consumes: ReadonlyMap<string, AnyArtifactType>;
  readonly publishes: ReadonlyMap<string, AnyArtifactType>;
  /** What it has promised of its output, if anything. */
  readonly outputs: Outputs | undefined;
  /** Its components and those of the flock, if there are any. */
  readonly hooks?: Hooks | undefined;
  readonly concurrency: number;
  /** Where the flock's room is scarce, agents of a higher one go first. */
  readonly priority: number;
  /** How many tries each run has at once, and what tells the best of them; undefined: one. */
  readonly bestOf?: BestOf | undefined;
  /** Longest that a run may take, in ms; undefined: as long as it likes. */
  readonly timeout?: number | undefined;
  /** How its failed runs are tried again; undefined: not at all. */
  readonly retry?: RetryPolicy | undefined;
  /** When it is left alone for a while; undefined: never. */
  readonly circuitBreaker?: CircuitLimits | undefined;
  /** For a model: what to do, beside the description. */
  readonly instructions: string;
  /** For a model: what it may call. */
  readonly tools: readonly (Tools | ToolSource)[];
  /** What else a run is given, if anything. */
  readonly context: ContextProviders | undefined;
  /** For a model: what keeps secrets from it; undefined when nothing shall. */
  readonly redaction: Redaction | undefined;
  /** What models cost, as the flock was told. */
  readonly prices?: Prices | undefined;
  /** The agent's own model, or the flock's. */
  readonly model?: Model | undefined;
  readonly run: (inputs: Inputs, context: RunContext) => unknown;
}

/** An agent as it was declared, before anything computes its output. */
export type AgentDeclaration = Omit<AgentDefinition, "run">;

/** Computes the output of agents that have no function of their own: makes the function that they lack. */
export type Engine = (agent: AgentDeclaration & { readonly model: Model }) => AgentDefinition["run"];

/** What keeps secrets from models: patterns beside the known ones, or false for none at all. */
export type Redact = readonly RegExp[] | false;

/** Returns the fields of an event that is visible to everyone who may see the agent. */
export function visibleWithAgent({ name, visibility }: Pick<AgentDefinition, "name" | "visibility">) {
  return { agent_id: name, ...(visibility.kind === "public" ? {} : { visibility }) };
}
