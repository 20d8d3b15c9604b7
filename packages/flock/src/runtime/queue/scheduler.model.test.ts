import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../core/clock.ts";
import type { Activation } from "../runs/activation.ts";
import { Scheduler } from "./scheduler.ts";

const AGENTS = ["a", "b", "c", "d"] as const;

type Step =
  | { readonly do: "enqueue" | "pause" | "resume"; readonly agent: number }
  | { readonly do: "finish" | "withdraw" | "leave" | "reacquire"; readonly which: number };

const agent = fc.nat(AGENTS.length - 1);
const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("enqueue" as const), agent }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const), which }) },
  fc.record({ do: fc.constantFrom("pause" as const, "resume" as const), agent }),
  fc.record({ do: fc.constant("withdraw" as const), which }),
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("leave" as const, "reacquire" as const), which }) },
);

const flocks = fc.record({
  limit: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 4 })),
  agents: fc.tuple(
    ...AGENTS.map(() => fc.record({ concurrency: fc.integer({ min: 1, max: 3 }), priority: fc.nat(2) })),
  ),
});

/** A naive model of the same rules: it scans everything at each step. */
class NaiveScheduler {
  readonly limit: number;
  readonly started: Activation[] = [];
  waiting: Activation[] = [];
  running: Activation[] = [];
  readonly paused = new Set<string>();
  away: Activation[] = [];
  /** Activations that wait to reacquire a slot, by agent, in order of the agents' first one. */
  readonly returning = new Map<string, Activation[]>();
  readonly resumed: Activation[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Activations that have a slot. */
  get placed(): Activation[] {
    const back = [...this.returning.values()].flat();
    return this.running.filter((one) => !this.away.includes(one) && !back.includes(one));
  }

  placedOf(name: string): number {
    return this.placed.filter(({ agent }) => agent.name === name).length;
  }

  forget(activation: Activation): void {
    this.away = this.away.filter((one) => one !== activation);
    for (const [name, back] of this.returning) {
      const left = back.filter((one) => one !== activation);
      if (left.length > 0) this.returning.set(name, left);
      else this.returning.delete(name);
    }
  }

  fill(): void {
    for (const back of [...this.returning.values()]) {
      for (const one of back) {
        if (this.placed.length >= this.limit || this.placedOf(one.agent.name) >= one.agent.concurrency) break;
        this.forget(one);
        this.resumed.push(one);
      }
    }
    while (this.placed.length < this.limit) {
      const able = this.waiting.filter(
        ({ agent: one }) => !this.paused.has(one.name) && this.placedOf(one.name) < one.concurrency,
      );
      // The sort is stable: within a priority, the oldest stays first.
      const [next] = able.sort((x, y) => y.agent.priority - x.agent.priority);
      if (!next) return;
      this.waiting = this.waiting.filter((one) => one !== next);
      this.running.push(next);
      this.started.push(next);
    }
  }
}

describe("scheduler", () => {
  it("starts the same activations in the same order as the model, for any operations and limits", async () => {
    await fc.assert(
      fc.asyncProperty(flocks, fc.array(step, { maxLength: 80 }), async ({ limit, agents }, steps) => {
        const started: Activation[] = [];
        const resumed: Activation[] = [];
        const ends = new Map<Activation, () => void>();
        const scheduler = new Scheduler(
          systemClock,
          (activation) => {
            started.push(activation);
            return new Promise((resolve) => ends.set(activation, resolve));
          },
          limit,
        );
        const naive = new NaiveScheduler(limit);
        const definitions = AGENTS.map((name, place) => ({ name, ...agents[place] }));
        const finish = async (activation: Activation) => {
          naive.running = naive.running.filter((one) => one !== activation);
          naive.forget(activation);
          ends.get(activation)?.();
          await Promise.resolve();
          await Promise.resolve();
        };
        const check = async () => {
          naive.fill();
          await Promise.resolve();
          expect(started).toEqual(naive.started);
          expect(resumed).toEqual(naive.resumed);
          expect(scheduler.away).toBe(naive.away.length);
          expect(scheduler.running).toBe(naive.running.length);
          expect(scheduler.queued).toBe(naive.waiting.length);
          expect(scheduler.held).toBe(naive.waiting.filter(({ agent: one }) => naive.paused.has(one.name)).length);
          for (const name of AGENTS) {
            const queue = naive.waiting.filter(({ agent: one }) => one.name === name);
            expect(scheduler.waitingOf(name)).toEqual(queue);
            expect(scheduler.queuedOf(name)).toBe(queue.length);
          }
        };
        let enqueued = 0;
        let withdrawn = 0;
        for (const one of steps) {
          switch (one.do) {
            case "enqueue": {
              const activation = { id: String(++enqueued), agent: definitions[one.agent] } as unknown as Activation;
              naive.waiting.push(activation);
              scheduler.enqueue(activation);
              break;
            }
            case "finish": {
              const { running } = naive;
              if (running.length > 0) await finish(running[one.which % running.length] as Activation);
              break;
            }
            case "withdraw": {
              const wanted = ({ id }: Activation) => Number(id) % 21 === one.which;
              const gone = naive.waiting.filter(wanted);
              naive.waiting = naive.waiting.filter((activation) => !wanted(activation));
              withdrawn += gone.length;
              expect(new Set(scheduler.withdraw(wanted))).toEqual(new Set(gone));
              break;
            }
            case "leave": {
              const { placed } = naive;
              const leaving = placed[one.which % placed.length];
              if (!leaving) break;
              naive.away.push(leaving);
              scheduler.leave(leaving);
              break;
            }
            case "reacquire": {
              const { away, returning } = naive;
              const back = away[one.which % away.length];
              if (!back) break;
              naive.away = away.filter((other) => other !== back);
              returning.set(back.agent.name, [...(returning.get(back.agent.name) ?? []), back]);
              scheduler.reacquireSlot(back).then(() => resumed.push(back));
              break;
            }
            default: {
              const name = AGENTS[one.agent] as string;
              const isNew = one.do === "pause" ? !naive.paused.has(name) : naive.paused.has(name);
              if (one.do === "pause") naive.paused.add(name);
              else naive.paused.delete(name);
              expect(scheduler[one.do](name)).toBe(isNew);
            }
          }
          await check();
        }
        for (const name of AGENTS) {
          naive.paused.delete(name);
          scheduler.resume(name);
          await check();
        }
        while (naive.running.length > 0) {
          await finish(naive.running[0] as Activation);
          await check();
        }
        expect(started.length).toBe(enqueued - withdrawn);
        expect(new Set(started).size).toBe(started.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe("long queue", () => {
  it("is processed in order of arrival", async () => {
    const order: number[] = [];
    const scheduler = new Scheduler(systemClock, async (activation) => {
      order.push(Number(activation.id));
    });
    const definition = { name: "a", concurrency: 1, priority: 0 };
    const count = 50_000;
    for (let n = 0; n < count; n++) scheduler.enqueue({ id: String(n), agent: definition } as unknown as Activation);
    while (scheduler.running > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(Array.from({ length: count }, (_, n) => n));
  });
});
