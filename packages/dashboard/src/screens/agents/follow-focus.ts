import { useReactFlow } from "@xyflow/react";
import type { KeyboardEvent } from "react";

/**
 * Who walks with Tab sees where: what has the focus and is out of sight comes to the middle. For a key that goes up, and
 * not for any focus: whoever presses a button of the mouse focuses too, and would let go of it over something else.
 */
export function useFollowFocus(): (event: KeyboardEvent) => void {
  const { setCenter, getZoom, getInternalNode } = useReactFlow();
  return ({ key, target, currentTarget }) => {
    if (key !== "Tab" || !(target instanceof Element) || isWithin(target, currentTarget)) return;
    const node = getInternalNode(target.closest<HTMLElement>(".react-flow__node")?.dataset.id ?? "");
    if (!node) return;
    const { x, y } = node.internals.positionAbsolute;
    const { width = 0, height = 0 } = node;
    void setCenter(x + width / 2, y + height / 2, { zoom: getZoom() });
  };
}

function isWithin(inner: Element, outer: Element): boolean {
  const [one, all] = [inner.getBoundingClientRect(), outer.getBoundingClientRect()];
  return one.left >= all.left && one.right <= all.right && one.top >= all.top && one.bottom <= all.bottom;
}
