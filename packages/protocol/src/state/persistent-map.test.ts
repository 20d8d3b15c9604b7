import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PersistentMap } from "./persistent-map.ts";

type Step = { readonly does: "set" | "delete" | "copy" | "keep"; readonly key: number };

/** Few keys are set and deleted repeatedly; many keys are mostly set once. */
const steps = (keys: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({ does: fc.constantFrom("set", "set", "set", "delete", "copy", "keep"), key: fc.nat({ max: keys }) }),
    {
      maxLength: 400,
      size: "max",
    },
  );

const nameOf = (key: number) => `key-${key}`;

function expectSame(map: ReadonlyMap<string, number>, plain: ReadonlyMap<string, number>) {
  expect(map.size).toBe(plain.size);
  expect([...map]).toEqual([...plain]);
  expect([...map.keys()]).toEqual([...plain.keys()]);
  expect([...map.values()]).toEqual([...plain.values()]);
}

describe("a persistent map behaves like a Map", () => {
  it.for([12, 5_000])("for any sequence of changes, and so does each copied original (%i keys)", (keys) => {
    fc.assert(
      fc.property(steps(keys), (all) => {
        let map = new PersistentMap<number>();
        let plain = new Map<string, number>();
        const moments: [PersistentMap<number>, Map<string, number>][] = [];
        for (const [index, { does, key }] of all.entries()) {
          const name = nameOf(key);
          if (does === "set") {
            map.set(name, index);
            plain.set(name, index);
          } else if (does === "delete") {
            expect(map.delete(name)).toBe(plain.delete(name));
          } else {
            moments.push([map, new Map(plain)]);
            // Sometimes continues from an earlier state, so that two histories share chunks.
            const from = does === "keep" ? (moments[key % moments.length] as (typeof moments)[number]) : moments.at(-1);
            map = PersistentMap.copyOf((from as (typeof moments)[number])[0]);
            plain = new Map((from as (typeof moments)[number])[1]);
          }
          expect(map.get(name)).toBe(plain.get(name));
          expect(map.has(name)).toBe(plain.has(name));
        }
        expectSame(map, plain);
        for (const [kept, expected] of moments) expectSame(kept, expected);
      }),
    );
  });

  it("with 100,000 entries of which most are deleted, from the front and in between", () => {
    const map = new PersistentMap<number>();
    const plain = new Map<string, number>();
    for (let index = 0; index < 100_000; index++) {
      map.set(nameOf(index), index);
      plain.set(nameOf(index), index);
    }
    for (let index = 0; index < 100_000; index++) {
      if (index % 997 === 0) continue;
      map.delete(nameOf(index));
      plain.delete(nameOf(index));
      if (index % 100 !== 0) continue;
      map.set(`more-${index}`, index);
      plain.set(`more-${index}`, index);
    }
    expectSame(map, plain);
    for (const key of plain.keys()) expect(map.get(key)).toBe(plain.get(key));
  });

  it("copies any Map without changing it", () => {
    const plain = new Map([["a", 1]]);
    const map = PersistentMap.copyOf(plain).set("b", 2);
    expect([...map]).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect([...plain]).toEqual([["a", 1]]);
  });
});

describe("changes during iteration", () => {
  it("do not affect the iteration", () => {
    const map = new PersistentMap<number>().set("a", 1).set("b", 2);
    const seen: string[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete("b");
      map.set("c", 3);
    }
    expect(seen).toEqual(["a", "b"]);
    expect([...map.keys()]).toEqual(["a", "c"]);
  });

  it("can delete the oldest entries one by one", () => {
    const map = new PersistentMap<number>();
    for (let index = 0; index < 1_000; index++) map.set(nameOf(index), index);
    for (const [key, value] of map) if (value < 900) map.delete(key);
    expect([...map.values()]).toEqual(Array.from({ length: 100 }, (_, index) => 900 + index));
  });
});
