import type { Lane } from "./scheduler.ts";

/** Lanes in the order in which they may begin: by priority, and within one by who has waited longest. A binary heap. */
export class LaneHeap {
  readonly #lanes: Lane[] = [];
  readonly #arrivalOf: (lane: Lane) => number;

  /** `arrivalOf`: when the first of a lane came. It must not change while the lane is in here. */
  constructor(arrivalOf: (lane: Lane) => number) {
    this.#arrivalOf = arrivalOf;
  }

  push(lane: Lane): void {
    const lanes = this.#lanes;
    let place = lanes.push(lane) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Takes the first out. */
  pop(): Lane | undefined {
    const lanes = this.#lanes;
    const first = lanes[0];
    const last = lanes.pop();
    if (first === last || !last) return first;
    lanes[0] = last;
    for (let place = 0; ; ) {
      let best = place;
      for (const child of [2 * place + 1, 2 * place + 2]) {
        if (child < lanes.length && this.#isBefore(child, best)) best = child;
      }
      if (best === place) return first;
      this.#swap(place, best);
      place = best;
    }
  }

  clear(): void {
    this.#lanes.length = 0;
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#lanes[a] as Lane, this.#lanes[b] as Lane];
    return one.priority === other.priority
      ? this.#arrivalOf(one) < this.#arrivalOf(other)
      : one.priority > other.priority;
  }

  #swap(a: number, b: number): void {
    const lane = this.#lanes[a] as Lane;
    this.#lanes[a] = this.#lanes[b] as Lane;
    this.#lanes[b] = lane;
  }
}
