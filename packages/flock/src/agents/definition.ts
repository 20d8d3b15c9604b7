import type { AgentPrincipal, LastingVisibility } from "@flock-ts/protocol";
import type { AnyArtifactType, Draft } from "../blackboard/artifact-type.ts";
import type { Redaction } from "../core/redaction.ts";
import type { Hooks } from "../middleware/hooks.ts";
import type { BestOf } from "./best-of-options.ts";
import type { CircuitLimits } from "./circuit-options.ts";
import type { ContextProviders } from "./context-provider.ts";
import type { Inputs } from "./inputs.ts";
import type { ModelChoice, ModelOptions } from "./model.ts";
import type { Outputs } from "./outputs.ts";
import type { Prices } from "./prices.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { RunContext } from "./run-context.ts";
import type { Schedule } from "./schedule.ts";
import type { Subscription } from "./subscription.ts";
import type { DeclaredTools } from "./tools.ts";

type KeysOf<U> = U extends readonly unknown[] ? never : U extends unknown ? keyof U : never;

/**
 * Makes a union of inputs destructurable: keys of other alternatives are `undefined`. An array of groups, from a
 * `batch` of several types, is kept.
 */
export type Alternatives<U, All = U> = U extends readonly unknown[]
  ? U
  : U & { readonly [K in Exclude<KeysOf<All>, keyof U>]?: undefined };

/** The return value of a run: one or several drafts of the types that the agent publishes, or `[]`. */
// biome-ignore lint/suspicious/noConfusingVoidType: an agent that publishes nothing may end without a return
export type OutputOf<Out> = [Out] extends [never] ? void : Out | readonly Out[];

/** The function that computes an agent's output. A generator's strings are streamed; its return value is published. */
export type RunFunction<In, Out extends Draft, Given = Readonly<Record<string, unknown>>> = (
  inputs: In,
  context: RunContext<Given, Out>,
) => OutputOf<Out> | Promise<OutputOf<Out>> | AsyncGenerator<string, OutputOf<Out>, undefined>;

/** A complete agent, ready to run. */
export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  /** Earlier names, whose work it takes over. */
  readonly formerNames: readonly string[];
  readonly tags: readonly string[];
  /** The principal that determines what the agent may see. */
  readonly principal: AgentPrincipal;
  /** Visibility of the agent itself, and the default for its artifacts: its tenant, or public. */
  readonly visibility: LastingVisibility;
  readonly subscriptions: readonly Subscription[];
  /** Schedules by the subscription that receives their ticks. */
  readonly schedules: ReadonlyMap<Subscription, Schedule>;
  /** All types that its subscriptions name. */
  readonly consumes: ReadonlyMap<string, AnyArtifactType>;
  readonly publishes: ReadonlyMap<string, AnyArtifactType>;
  /** Conditions for the agent's output, if it has any. */
  readonly outputs: Outputs | undefined;
  /** Hooks of its components and the flock's, if there are any. */
  readonly hooks?: Hooks | undefined;
  readonly concurrency: number;
  /** Agents with a higher priority start first under the flock's `concurrency` limit. */
  readonly priority: number;
  /** Candidates per run and their score; undefined means one candidate. */
  readonly bestOf?: BestOf | undefined;
  /** Longest run, in ms; undefined means no limit. */
  readonly timeout?: number | undefined;
  /** How failed runs are retried; undefined means no retries. */
  readonly retry?: RetryPolicy | undefined;
  /** How many crashes of the process its work may cause; undefined means the flock's limit. */
  readonly maxCrashes?: number | undefined;
  /** When the circuit opens; undefined means never. */
  readonly circuitBreaker?: CircuitLimits | undefined;
  /** Instructions for the model, in addition to the description. */
  readonly instructions: string;
  /** Tools for the model. */
  readonly tools: readonly DeclaredTools[];
  /** Context providers, if there are any. */
  readonly context: ContextProviders | undefined;
  /** Hides secrets from the model; undefined hides nothing. */
  readonly redaction: Redaction | undefined;
  /** The flock's model prices. */
  readonly prices?: Prices | undefined;
  /** The agent's own model, or the flock's. */
  readonly model?: ModelChoice | undefined;
  readonly modelOptions?: ModelOptions | undefined;
  readonly run: (inputs: Inputs, context: RunContext) => unknown;
}

/** The declaration of an agent, without the function that computes its output. */
export type AgentDeclaration = Omit<AgentDefinition, "run">;

/** Creates the `run` function of an agent that has a model and no function. */
export type Engine = (agent: AgentDeclaration & { readonly model: ModelChoice }) => AgentDefinition["run"];

/** Hides secrets from models: patterns in addition to the built-in ones, or false to hide nothing. */
export type Redact = readonly RegExp[] | false;

/** Returns the fields of an event that is visible to everyone who may see the agent. */
export function visibleWithAgent({ name, visibility }: Pick<AgentDefinition, "name" | "visibility">) {
  return { agent_id: name, ...(visibility.kind === "public" ? {} : { visibility }) };
}
