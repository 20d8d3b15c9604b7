/**
 * Flock: a blackboard for AI agents, and the server that shows every event live.
 *
 * @packageDocumentation
 */
import "./core/node-version.ts";

export {
  type AgentPrincipal,
  type ClientPrincipal,
  OWNER,
  type OwnerPrincipal,
  type Principal,
  type Visibility,
  type VisibilityRequest,
} from "@flock-ts/protocol";
export type { AskOptions } from "./agents/ask-options.ts";
export type { Score } from "./agents/best-of-options.ts";
export type { AgentBuilder } from "./agents/builder.ts";
export type { CircuitBreakerOptions } from "./agents/circuit-options.ts";
export type { ContextProvider, ContextProviders, GivenBy } from "./agents/context-provider.ts";
export type { Alternatives, OutputOf, Redact, RunFunction } from "./agents/definition.ts";
export { type Earlier, type HistoryOptions, history } from "./agents/history-provider.ts";
export type { BatchOf, InputsOf } from "./agents/inputs.ts";
export type { Model, ModelChoice, ModelObject, ModelOptions } from "./agents/model.ts";
export type { OutputOptions } from "./agents/outputs.ts";
export type { ModelPrice, Prices } from "./agents/prices.ts";
export type { RetryOptions } from "./agents/retry-policy.ts";
export type { RunContext, RunPublishOptions, RunStep, StoredOf, StreamOptions } from "./agents/run-context.ts";
export {
  type CronOptions,
  type EveryOptions,
  type ScheduleOptions,
  ScheduleTick,
} from "./agents/schedule.ts";
export type {
  ArtifactOf,
  BatchOptions,
  JoinOptions,
  SubscriptionOptions,
} from "./agents/subscription-options.ts";
export { ToolApproval, type ToolApprovalPayload } from "./agents/tool-approval.ts";
export type { OfferedTool, ToolAnswer, ToolOptions, ToolSource, Tools } from "./agents/tools.ts";
export type { Consumption, StoredArtifact } from "./blackboard/artifact.ts";
export {
  type AnyArtifactType,
  type ArtifactType,
  type ArtifactTypeOptions,
  artifact,
  type Draft,
  type DraftOf,
  type PayloadOf,
} from "./blackboard/artifact-type.ts";
export { visibility } from "./blackboard/visibility.ts";
export { type Clock, systemClock } from "./core/clock.ts";
export { FlockError, type FlockErrorOptions, type LocalErrorCode } from "./core/errors.ts";
export type { RunLog } from "./core/logger.ts";
export { VERSION } from "./core/version.ts";
export type { ErrorDetail } from "./core/wire-error.ts";
export { Flock, type FlockOptions, type OpenFlockOptions } from "./flock.ts";
export type { EventLog } from "./log/event-log.ts";
export {
  GroupRefused,
  type GroupRefusedPayload,
  JoinExpired,
  type JoinExpiredPayload,
} from "./runtime/alerts/gate-drops.ts";
export { RunFailed, type RunFailedPayload } from "./runtime/alerts/run-failed.ts";
export type { StrandedArtifact, StrandedReason } from "./runtime/gates/restoration.ts";
export type { LocalCommands } from "./runtime/local-commands.ts";
export type { OrphanCounts, OrphanedRun, OrphanSelector, Orphans, OrphansHandled } from "./runtime/orphans.ts";
export type { Invoked, InvokeOptions, Published, PublishOptions } from "./runtime/publishing/published.ts";
export type { StoredQuestion } from "./runtime/questions/person-question.ts";
export { PersonQuestion, type PersonQuestionPayload } from "./runtime/questions/person-question.ts";
export type { Revived } from "./runtime/runs/dead-letters.ts";
export type { RunEnd } from "./runtime/runs/run-end.ts";
export type { RunCounts } from "./runtime/runs/workload.ts";
export type { FlockStats } from "./runtime/stats.ts";
export type { Identify } from "./server/security/identity.ts";
export type { ServeOptions } from "./server/serve.ts";
export type { FlockServer } from "./server/server.ts";
export { memoryStore } from "./store/memory/store.ts";
export type {
  ArtifactQuery,
  ArtifactQueryResult,
  DeadLetter,
  DeadLetterQuery,
  OwnersStore,
  ReadableStore,
  Store,
  StoreSession,
  Triggered,
  Write,
} from "./store/store.ts";
