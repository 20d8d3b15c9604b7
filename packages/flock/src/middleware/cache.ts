import { z } from "zod";
import type { RunContext } from "../agents/run-context.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { Draft } from "../blackboard/artifact-type.ts";
import { checkOptions } from "../core/errors.ts";
import { AgentComponent } from "./agent-component.ts";

/** What is remembered, and for how long. */
export interface CacheOptions {
  /**
   * What two runs of an agent have in common that bring the same: a text. Default: the payloads and types of what they
   * consume, whatever the order of their keys.
   */
  readonly key?: (artifacts: readonly StoredArtifact[]) => string;
  /** How long an output is good, in ms from the end of its run. Default: an hour. */
  readonly ttl?: number;
  /** How many outputs are remembered: the one that was not wanted for the longest time goes first. Default: 1,000. */
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
  /** By key, the least recently wanted first. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: z.output<typeof optionsSchema>) {
    super();
    this.#options = options;
  }

  override async evaluate(run: RunContext, next: () => Promise<readonly Draft[]>): Promise<readonly Draft[]> {
    const key = this.#keyOf(run);
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    if (known && known.expiresAt > this.clock.now()) {
      this.#entries.set(key, known);
      run.addUsage({ cached: 1 });
      return known.drafts;
    }
    const drafts = await next();
    // A run that was stopped has ended already, whatever its function still gives.
    if (!run.signal.aborted) this.#remember(key, drafts);
    return drafts;
  }

  /** What does not do is not given again: what it is held to may depend on more than the inputs. */
  override error(_error: unknown, run: RunContext): undefined {
    this.#entries.delete(this.#keyOf(run));
  }

  #remember(key: string, drafts: readonly Draft[]): void {
    this.#entries.set(key, { drafts: [...drafts], expiresAt: this.clock.now() + this.#options.ttl });
    if (this.#entries.size > this.#options.max) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  /** Who may see the inputs belongs to it: what was made for one tenant says nothing to another. */
  #keyOf({ agent, artifacts }: RunContext): string {
    const { key } = this.#options;
    const inputs = key ? String(key(artifacts)) : artifacts.map(({ type, payload }) => [type, payload]);
    return canonical([agent, artifacts.map(({ visibility }) => visibility), inputs]);
  }
}

/** JSON with the keys of all objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/**
 * Gives again what an agent has made of the same inputs, without running it: same agent, same payloads, same visibility of
 * each. Such a run tells `usage` of `{ cached: 1 }`, streams nothing and costs nothing. For agents whose output depends on
 * their inputs alone: not on the blackboard, the time or what they are given beside. It remembers while the process lives.
 * @throws FlockError `invalid_options`.
 */
export function cache(options: CacheOptions = {}): AgentComponent {
  return new Cache(checkOptions("cache", optionsSchema, options));
}
