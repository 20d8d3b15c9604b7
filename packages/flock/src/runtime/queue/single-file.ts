import type { Activation } from "../runs/activation.ts";

/** Lets activations start one at a time, in order. */
export class SingleFile {
  readonly #start: (activation: Activation) => void;
  /** Id of the activation that may run. */
  #current: string | undefined;
  readonly #waiting = new Set<Activation>();

  /** @param start receives each activation that had to wait, when its turn comes. */
  constructor(start: (activation: Activation) => void) {
    this.#start = start;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Returns whether an activation may be queued now. Otherwise it waits here. */
  admits(activation: Activation): boolean {
    if (this.#current === undefined) this.#current = activation.id;
    if (this.#current === activation.id) return true;
    this.#waiting.add(activation);
    return false;
  }

  /** Lets the next activation start, if the current one has this id. */
  left(id: string): void {
    if (this.#current !== id) return;
    const [next] = this.#waiting;
    this.#current = next?.id;
    if (!next) return;
    this.#waiting.delete(next);
    this.#start(next);
  }

  /** Returns whether a matching activation waits. */
  has(matches: (activation: Activation) => boolean): boolean {
    return this.#waiting.values().some(matches);
  }

  /** Removes and returns matching activations that wait. */
  withdraw(matches: (activation: Activation) => boolean): Activation[] {
    const withdrawn = [...this.#waiting].filter(matches);
    for (const activation of withdrawn) this.#waiting.delete(activation);
    return withdrawn;
  }
}
