import { FlockError } from "../core/errors.ts";
import type { ServerComponent } from "./server-component.ts";

/**
 * Components by name in the order in which they register: lower priority first, equal ones as given.
 * @throws FlockError `duplicate_component` or `missing_dependency`.
 */
export function inOrder(components: readonly ServerComponent[]): ReadonlyMap<string, ServerComponent> {
  const byName = new Map<string, ServerComponent>();
  for (const component of components.toSorted((a, b) => a.priority - b.priority)) {
    if (byName.has(component.name)) {
      throw new FlockError(
        "duplicate_component",
        `two components are named "${component.name}": leave one of them out, or give a subclass another name`,
      );
    }
    byName.set(component.name, component);
  }
  for (const component of byName.values()) {
    for (const needed of component.getDependencies()) {
      if (byName.has(needed)) continue;
      throw new FlockError(
        "missing_dependency",
        `component "${component.name}" needs "${needed}", which is not there: add it to the server's components`,
      );
    }
  }
  return byName;
}
