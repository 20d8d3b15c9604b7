/**
 * Components for agents: rate limits, caches, budgets, and the base class for your own.
 *
 * @packageDocumentation
 */

export type { ModelPrice, Prices } from "../agents/prices.ts";
export { AgentComponent, type DraftOrigin, type QueuedRun, type Replacement } from "./agent-component.ts";
export { type BudgetOptions, budget } from "./budget.ts";
export { type CacheOptions, cache } from "./cache.ts";
export { type RateLimitOptions, rateLimit } from "./rate-limit.ts";
