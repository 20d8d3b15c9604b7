import fc from "fast-check";
import { expect, it } from "vitest";
import { type Activity, type Awaited, Occupancy } from "./occupancy.ts";

type Step =
  | { readonly do: "begin"; readonly parent: number }
  | { readonly do: "wait"; readonly within: number; readonly kind: Awaited }
  | { readonly do: "end activity" | "end wait"; readonly which: number }
  | { readonly do: "give the slot back" };

const nat = fc.nat(8);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("begin" as const), parent: nat }),
  fc.record({
    do: fc.constant("wait" as const),
    within: nat,
    kind: fc.constantFrom("person" as const, "run" as const),
  }),
  fc.record({ do: fc.constantFrom("end activity" as const, "end wait" as const), which: nat }),
  fc.record({ do: fc.constant("give the slot back" as const) }),
);

/** An activity as the model has it. */
interface Model {
  readonly activity: Activity;
  readonly parent: Model | undefined;
  isOpen: boolean;
}

interface Wait {
  readonly kind: Awaited;
  readonly within: Model | undefined;
  readonly end: () => void;
}

const isInside = (inner: Model | undefined, outer: Model): boolean =>
  inner !== undefined && (inner === outer || isInside(inner.parent, outer));

it("has released its slot exactly while it waits and nothing works, and stops its clock for people alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      let hasSlot = true;
      let isPaused = false;
      let give: (() => void) | undefined;
      const occupancy = new Occupancy(
        {
          release: () => {
            expect(hasSlot).toBe(true);
            hasSlot = false;
          },
          reacquire: () => {
            expect(give).toBeUndefined();
            const { promise, resolve } = Promise.withResolvers<void>();
            give = () => {
              hasSlot = true;
              give = undefined;
              resolve();
            };
            return promise;
          },
        },
        {
          pause: () => {
            isPaused = true;
          },
          resume: () => {
            isPaused = false;
          },
        },
      );
      const activities: Model[] = [];
      let waits: Wait[] = [];
      const oneOf = <T>(list: readonly T[], index: number): T | undefined => list[index % (list.length + 1)];
      const check = () => {
        const working = activities.filter(
          (one) => one.isOpen && !waits.some(({ within }) => isInside(within, one)),
        ).length;
        const mayLeave = waits.length > 0 && working === 0;
        if (give) return expect(hasSlot).toBe(false);
        expect(hasSlot).toBe(!mayLeave);
        expect(isPaused).toBe(mayLeave && waits.every(({ kind }) => kind === "person"));
        expect(occupancy.occupied).toBeUndefined();
      };
      const giveBack = async () => {
        while (give) {
          give();
          await Promise.resolve();
          await Promise.resolve();
        }
      };
      for (const one of steps) {
        if (one.do === "begin") {
          const parent = oneOf(
            activities.filter(({ isOpen }) => isOpen),
            one.parent,
          );
          activities.push({ activity: occupancy.begin(parent?.activity), parent, isOpen: true });
        } else if (one.do === "wait") {
          const within = oneOf(
            activities.filter(({ isOpen }) => isOpen),
            one.within,
          );
          waits.push({ kind: one.kind, within, end: occupancy.wait(one.kind, within?.activity) });
        } else if (one.do === "end activity") {
          const ending = oneOf(activities, one.which);
          ending?.activity.end();
          if (ending) ending.isOpen = false;
        } else if (one.do === "end wait") {
          const ending = oneOf(waits, one.which);
          waits = waits.filter((wait) => wait !== ending);
          ending?.end();
        } else await giveBack();
        check();
      }
      await giveBack();
      check();
    }),
  );
});
