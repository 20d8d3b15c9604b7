import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linkOf, routeOf, SCREENS } from "./route.ts";

/** The location of a link, as parsed by the browser. */
function follow(link: string) {
  const { pathname, search } = new URL(link, "http://flock.test");
  return routeOf(pathname, search);
}

describe("links capture the view", () => {
  it("a link restores its screen, selection, filter and seq, with any characters", () => {
    const word = fc.string({ minLength: 1, unit: "grapheme" });
    const name = fc.stringMatching(/^[a-z]{1,8}$/).filter((one) => one !== "seq" && one !== "constructor");
    fc.assert(
      fc.property(
        fc.constantFrom(...SCREENS),
        fc.option(
          word.filter((id) => id !== "." && id !== ".."),
          { nil: undefined },
        ),
        fc.option(fc.nat(), { nil: null }),
        fc.dictionary(name, word, { noNullPrototype: true }),
        (screen, id, seq, params) => {
          expect(follow(linkOf({ screen, id, seq, params }))).toEqual({ screen, id, seq, params });
        },
      ),
    );
  });

  it("empty, unknown and malformed paths lead to a screen", () => {
    expect(follow("/").screen).toBe("agents");
    expect(follow("/nowhere/at/all").screen).toBe("agents");
    expect(routeOf("/runs/50%").id).toBe("50%");
    expect(follow("/runs?seq=yesterday").seq).toBeNull();
  });

  it("supports links of earlier versions", () => {
    expect(follow("/artifacts/42")).toMatchObject({ screen: "blackboard", id: "42" });
  });
});
