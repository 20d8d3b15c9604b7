import { z } from "zod";
import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import { elapsed } from "../core/clock.ts";
import { checkOptions } from "../core/errors.ts";
import { AgentComponent } from "./agent-component.ts";

/** Options of a cache. */
export interface CacheOptions {
  /** Returns the cache key of runs. Default: the payloads and types of what they consume, independent of key order. */
  readonly key?: (artifacts: readonly StoredArtifact[]) => string;
  /** Lifetime of an output, in ms from the end of its run. Default: an hour. */
  readonly ttl?: number;
  /** Maximum number of outputs; the least recently used one is evicted. Default: 1,000. */
  readonly max?: number;
}

const HOUR_MS = 3_600_000;

const optionsSchema = z.strictObject({
  key: z
    .custom<NonNullable<CacheOptions["key"]>>((value) => typeof value === "function", "must be a function")
    .optional(),
  ttl: z.number().positive().default(HOUR_MS),
  max: z.int().min(1).default(1_000),
});

interface Entry {
  readonly drafts: readonly Draft[];
  /** In ms since 1970. */
  readonly expiresAt: number;
}

class Cache extends AgentComponent {
  readonly name = "cache";
  readonly #options: z.output<typeof optionsSchema>;
  /** By key, least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: z.output<typeof optionsSchema>) {
    super();
    this.#options = options;
  }

  override async evaluate(run: RunContext, next: () => Promise<readonly Draft[]>): Promise<readonly Draft[]> {
    const key = this.#keyOf(run);
    const cached = this.#entries.get(key);
    this.#entries.delete(key);
    if (cached && cached.expiresAt > elapsed(this.clock)) {
      this.#entries.set(key, cached);
      run.addUsage({ cached: 1 });
      return cached.drafts;
    }
    const drafts = await next();
    // A stopped run has already ended, even if its function still returns.
    if (!run.signal.aborted) this.#remember(key, drafts);
    return drafts;
  }

  /** Evicts the entry: the checks of an output may depend on more than the inputs. */
  override error(_error: unknown, run: RunContext): undefined {
    this.#entries.delete(this.#keyOf(run));
  }

  #remember(key: string, drafts: readonly Draft[]): void {
    this.#entries.set(key, { drafts: [...drafts], expiresAt: elapsed(this.clock) + this.#options.ttl });
    if (this.#entries.size > this.#options.max) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  /** Returns the cache key. It includes the inputs' visibility, so no output of one tenant reaches another. */
  #keyOf({ agent, artifacts }: RunContext): string {
    const { key } = this.#options;
    const inputs = key ? String(key(artifacts)) : artifacts.map(({ type, payload }) => [type, payload]);
    return canonical([agent, artifacts.map(({ visibility }) => visibility), inputs]);
  }
}

/** Serializes JSON with sorted object keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/**
 * Creates a component that reuses an agent's output for the same inputs: same agent, same payloads, same visibilities.
 * A cached run reports the usage `{ cached: 1 }` and streams nothing. Use it for agents whose output depends only on
 * their inputs, not on the blackboard, the time or their context. The cache is in memory and ends with the process.
 *
 * @example
 * flock.agent("translator").consumes(Text).publishes(Translation).use(cache({ ttl: 600_000 }));
 *
 * @throws FlockError `invalid_options`.
 */
export function cache(options: CacheOptions = {}): AgentComponent {
  return new Cache(checkOptions("cache", optionsSchema, options));
}
