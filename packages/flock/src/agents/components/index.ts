/**
 * What can stand around the runs of agents: limits, a memory, a budget, and the class that yours extend.
 *
 * @packageDocumentation
 */
export { AgentComponent, type DraftOrigin, type QueuedRun, type Replacement } from "./agent-component.ts";
export { type BudgetOptions, budget, type ModelPrice } from "./budget.ts";
export { type CacheOptions, cache } from "./cache.ts";
export { type RateLimitOptions, rateLimit } from "./rate-limit.ts";
