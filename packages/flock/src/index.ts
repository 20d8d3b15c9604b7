/**
 * Flock: a blackboard for AI agents, and the server that shows every event live.
 *
 * @packageDocumentation
 */
export {
  type AgentPrincipal,
  type ClientPrincipal,
  OWNER,
  type OwnerPrincipal,
  type Principal,
  type Visibility,
  type VisibilityRequest,
} from "@flock/protocol";
export type { AgentBuilder, Alternatives, OutputOf, Redact, RunFunction } from "./agents/agent.ts";
export type { Score } from "./agents/best-of.ts";
export type { CircuitBreakerOptions } from "./agents/circuit-breaker.ts";
export type { ContextProvider, ContextProviders, GivenBy } from "./agents/context-provider.ts";
export type { Revived } from "./agents/dead-letters.ts";
export type { Model, ModelObject, OfferedTool, ToolAnswer, ToolSource, Tools } from "./agents/engine.ts";
export type { BatchOf, InputsOf } from "./agents/gates/inputs.ts";
export type {
  ArtifactOf,
  BatchOptions,
  JoinOptions,
  SubscriptionOptions,
} from "./agents/gates/subscription-options.ts";
export { type Earlier, type HistoryOptions, history } from "./agents/history-provider.ts";
export type { Invoked, InvokeOptions, Published, PublishOptions } from "./agents/orchestrator.ts";
export type { OutputOptions } from "./agents/outputs.ts";
export type { ModelPrice, Prices } from "./agents/prices.ts";
export type { AskOptions, StoredQuestion } from "./agents/questions.ts";
export type { RetryOptions } from "./agents/retry.ts";
export type { RunEnd } from "./agents/run.ts";
export type { RunContext, RunLog, RunStep, StreamOptions } from "./agents/run-context.ts";
export type { RunCounts } from "./agents/runner.ts";
export { type CronOptions, type EveryOptions, type ScheduleOptions, ScheduleTick } from "./agents/schedule.ts";
export type { ErrorDetail } from "./agents/wire-error.ts";
export {
  type AnyArtifactType,
  type ArtifactType,
  artifact,
  type Draft,
  type DraftOf,
  type PayloadOf,
} from "./blackboard/artifact-type.ts";
export { PersonQuestion, type PersonQuestionPayload } from "./blackboard/person-question.ts";
export type { Consumption, StoredArtifact } from "./blackboard/stored-artifact.ts";
export { visibility } from "./blackboard/visibility.ts";
export { type Clock, systemClock } from "./clock.ts";
export { FlockError, type FlockErrorOptions, type LocalErrorCode } from "./errors.ts";
export type { EventLog } from "./events/event-log.ts";
export { Flock, type FlockOptions, type FlockStats } from "./flock.ts";
export type { Identify } from "./server/principal.ts";
export type { ServeOptions } from "./server/serve.ts";
export type { FlockServer } from "./server/server.ts";
export { memoryStore } from "./store/memory.ts";
export type {
  ArtifactQuery,
  ArtifactQueryResult,
  DeadLetter,
  DeadLetterQuery,
  ReadableStore,
  Store,
  Triggered,
  Write,
} from "./store/store.ts";
export { VERSION } from "./version.ts";
