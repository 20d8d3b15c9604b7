import { useReactFlow } from "@xyflow/react";
import type { FocusEvent } from "react";

/** Who walks with Tab sees where: what has the focus and is out of sight comes to the middle. */
export function useFollowFocus(): (event: FocusEvent) => void {
  const { setCenter, getZoom, getInternalNode } = useReactFlow();
  return ({ target, currentTarget }) => {
    if (!target.matches(":focus-visible") || isWithin(target, currentTarget)) return;
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
