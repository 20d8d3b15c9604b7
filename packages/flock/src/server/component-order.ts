import { FlockError } from "../core/errors.ts";
import type { ServerComponent } from "./server-component.ts";

/**
 * Returns components by name in the order in which they register: lower priority first, equal ones as given.
 * @throws FlockError `duplicate_component` or `missing_dependency`.
 */
export function inOrder(components: readonly ServerComponent[]): ReadonlyMap<string, ServerComponent> {
  const byName = new Map<string, ServerComponent>();
  for (const component of components.toSorted((a, b) => a.priority - b.priority)) {
    if (byName.has(component.name)) {
      throw new FlockError(
        "duplicate_component",
        `Duplicate component: two components have the name "${component.name}". Remove one, or give a subclass another name.`,
      );
    }
    byName.set(component.name, component);
  }
  for (const component of byName.values()) {
    for (const needed of component.getDependencies()) {
      if (byName.has(needed)) continue;
      throw new FlockError(
        "missing_dependency",
        `Missing component: "${component.name}" needs "${needed}". Add it to \`components\` of \`flock.serve\`.`,
      );
    }
  }
  return byName;
}
