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
} from "@flock-ts/protocol";
export type { AgentBuilder, Alternatives, OutputOf, Redact, RunFunction } from "./agents/agent.ts";
export type { ContextProvider, ContextProviders, GivenBy } from "./agents/context/context-provider.ts";
export { type Earlier, type HistoryOptions, history } from "./agents/context/history-provider.ts";
export type { Model, ModelObject, OfferedTool, ToolAnswer, ToolSource, Tools } from "./agents/engine.ts";
export type { BatchOf, InputsOf } from "./agents/gates/inputs.ts";
export type {
  ArtifactOf,
  BatchOptions,
  JoinOptions,
  SubscriptionOptions,
} from "./agents/gates/subscription-options.ts";
export type { Invoked, InvokeOptions, Published, PublishOptions } from "./agents/orchestrator.ts";
export type { OutputOptions } from "./agents/publishing/outputs.ts";
export type { Score } from "./agents/runs/best-of.ts";
export type { CircuitBreakerOptions } from "./agents/runs/circuit-breaker.ts";
export type { Revived } from "./agents/runs/dead-letters.ts";
export type { ModelPrice, Prices } from "./agents/runs/prices.ts";
export type { AskOptions, StoredQuestion } from "./agents/runs/questions.ts";
export type { RetryOptions } from "./agents/runs/retry.ts";
export type { RunEnd } from "./agents/runs/run.ts";
export type { RunContext, RunLog, RunStep, StreamOptions } from "./agents/runs/run-context.ts";
export type { RunCounts } from "./agents/runs/runner.ts";
export type { ErrorDetail } from "./agents/runs/wire-error.ts";
export {
  type CronOptions,
  type EveryOptions,
  type ScheduleOptions,
  ScheduleTick,
} from "./agents/schedules/schedule.ts";
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
export type { WireRequests } from "./wire-requests.ts";
