import { LoopError } from "./refusals.ts";

/** How many runs of one workflow may repeat an agent before the workflow comes to rest, for each run of `maxDepth`. */
const REPEATS_PER_DEPTH = 100;

/** What a workflow does until none of its runs is pending that other runs have caused. */
interface Burst {
  pending: number;
  repeats: number;
  /** The smallest depth of each agent. */
  readonly depths: Map<string, number>;
}

/**
 * Recognizes loops of runs that cause each other, by the length of their chain. Counts no work that comes from outside,
 * however much there is. A loop whose runs each publish several artifacts would fill the memory long before its chains are
 * too long, so runs that repeat an agent at a greater depth are counted too, until the workflow comes to rest.
 */
export class LoopGuard {
  readonly #maxDepth: number;
  readonly #bursts = new Map<string, Burst>();

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** A run is pending. Returns why it must not begin, if it must not. */
  pending(agent: string, correlationId: string, depth: number): LoopError | undefined {
    if (depth === 1) return undefined;
    let burst = this.#bursts.get(correlationId);
    if (!burst) this.#bursts.set(correlationId, (burst = { pending: 0, repeats: 0, depths: new Map() }));
    burst.pending += 1;
    const first = burst.depths.get(agent) ?? Number.POSITIVE_INFINITY;
    if (depth < first) burst.depths.set(agent, depth);
    else if (depth > first) burst.repeats += 1;
    if (depth > this.#maxDepth)
      return new LoopError(agent, correlationId, `a chain of ${this.#maxDepth} runs led to it`);
    const maxRepeats = this.#maxDepth * REPEATS_PER_DEPTH;
    if (depth <= first || burst.repeats <= maxRepeats) return undefined;
    return new LoopError(agent, correlationId, `its agents were repeated ${maxRepeats} times without a rest`);
  }

  /** A pending run has ended, or could not be written. */
  ended(correlationId: string, depth: number): void {
    const burst = depth === 1 ? undefined : this.#bursts.get(correlationId);
    if (!burst) return;
    burst.pending -= 1;
    if (burst.pending === 0) this.#bursts.delete(correlationId);
  }
}
