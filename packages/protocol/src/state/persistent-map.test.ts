import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PersistentMap } from "./persistent-map.ts";

type Step = { readonly does: "set" | "delete" | "copy" | "keep"; readonly key: number };

/** Few keys meet often, and are put back where they had been; many are there once. */
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

describe("a shared map is a Map", () => {
  it.for([12, 5_000])("whatever is done with it, and so is each moment of it that was kept (%i keys)", (keys) => {
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
            // Also back to an earlier moment, from which another future begins.
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

  it("also with a hundred thousand entries of which most are deleted, from the front and in between", () => {
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

  it("is made of any Map, which then stays as it is", () => {
    const plain = new Map([["a", 1]]);
    const map = PersistentMap.copyOf(plain).set("b", 2);
    expect([...map]).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect([...plain]).toEqual([["a", 1]]);
  });
});

describe("who walks over a map may change it", () => {
  it("and is given what there was at first", () => {
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

  it("the oldest can be taken away one by one", () => {
    const map = new PersistentMap<number>();
    for (let index = 0; index < 1_000; index++) map.set(nameOf(index), index);
    for (const [key, value] of map) if (value < 900) map.delete(key);
    expect([...map.values()]).toEqual(Array.from({ length: 100 }, (_, index) => 900 + index));
  });
});
