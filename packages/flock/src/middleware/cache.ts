import { z } from "zod";
import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import { canonicalJson } from "../blackboard/json.ts";
import { checkOptions } from "../core/errors.ts";
import { keyOf, syncFunction } from "../core/predicate.ts";
import { AgentComponent } from "./agent-component.ts";

/** Options of a cache. */
export interface CacheOptions {
  /**
   * Returns the cache key of runs, a string. Default: the payloads and types of what they consume, independent of
   * key order.
   */
  readonly key?: (artifacts: readonly StoredArtifact[]) => string;
  /** Lifetime of an output, in ms from the end of its run. Default: an hour. */
  readonly ttl?: number;
  /** Maximum number of outputs; the least recently used one is evicted. Default: 1,000. */
  readonly max?: number;
}

const HOUR_MS = 3_600_000;

const optionsSchema = z.strictObject({
  key: syncFunction.transform((key) => key as NonNullable<CacheOptions["key"]>).optional(),
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
    if (key === undefined) return next();
    const cached = this.#entries.get(key);
    this.#entries.delete(key);
    if (cached && cached.expiresAt > this.clock.now()) {
      this.#entries.set(key, cached);
      run.addUsage({ cached: 1 });
      return [...cached.drafts];
    }
    const drafts = await next();
    // A stopped run has already ended, even if its function still returns.
    // What a run has published before its end would be missing from the next one.
    if (!run.signal.aborted && run.published.length === 0) this.#remember(key, drafts);
    return drafts;
  }

  /** Evicts the entry: the checks of an output may depend on more than the inputs. */
  override error(_error: unknown, run: RunContext): undefined {
    let key: string | undefined;
    try {
      key = this.#keyOf(run);
    } catch {
      // The run has failed of just that.
      return;
    }
    if (key !== undefined) this.#entries.delete(key);
  }

  #remember(key: string, drafts: readonly Draft[]): void {
    this.#entries.set(key, { drafts: [...drafts], expiresAt: this.clock.now() + this.#options.ttl });
    if (this.#entries.size > this.#options.max) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  /**
   * Returns the cache key; undefined for inputs that have none. It includes the inputs' visibility, so no output of one
   * tenant reaches another.
   */
  #keyOf({ agent, artifacts }: RunContext): string | undefined {
    const { key } = this.#options;
    const inputs = key
      ? keyOf("`key` of the cache", key(artifacts))
      : artifacts.map(({ type, payload }) => [type, payload]);
    return canonicalJson([agent, artifacts.map(({ visibility }) => visibility), inputs]);
  }
}

/**
 * Creates a component that reuses an agent's output for the same inputs: same agent, same payloads, same visibilities.
 * A cached run reports the usage `{ cached: 1 }` and streams nothing. Use it for agents whose output depends only on
 * their inputs, not on the blackboard, the time or their context. Runs that published before their end are not cached,
 * nor are runs whose inputs are not JSON because another component has replaced them. The cache is in memory and ends
 * with the process.
 *
 * @example
 * flock.agent("translator").consumes(Text).publishes(Translation).use(cache({ ttl: 600_000 }));
 *
 * @throws FlockError `invalid_options`.
 */
export function cache(options: CacheOptions = {}): AgentComponent {
  return new Cache(checkOptions("cache", optionsSchema, options));
}
