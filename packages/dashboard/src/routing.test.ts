import { describe, expect, it } from "vitest";
import { pathOf, routeOf } from "./routing.ts";

/** The route of a link as the browser takes it apart. */
function follow(link: string) {
  const { pathname, search } = new URL(link, "http://flock.test");
  return routeOf(pathname, search);
}

describe("a link leads to what it was made for", () => {
  it.for([
    ["runs", undefined, {}],
    ["runs", "a/b?c#d %", { workflow: "order 66 & more" }],
    ["artifacts", "42", { workflow: "w", agent: "chef/grill" }],
    ["publish", "Pizza", {}],
  ] as const)("%j", ([screen, id, filter]) => {
    expect(follow(pathOf(screen, id, filter))).toEqual({ screen, id, filter });
  });

  it("the first page, an unknown one and a broken one are shown as far as they can be", () => {
    expect(follow("/").screen).toBe("agents");
    expect(follow("/nowhere/at/all").screen).toBe("agents");
    expect(routeOf("/runs/50%").id).toBe("50%");
  });
});
