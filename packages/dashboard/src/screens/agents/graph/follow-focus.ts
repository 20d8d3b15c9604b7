import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, type RefObject, useEffect } from "react";

/** The distance to keep between the focused element and the edge, in px. */
const MARGIN = 12;

/**
 * Pans the camera to keep the element focused by Tab in view. Runs on key up and not on focus: a mouse press also
 * focuses, and its release would hit another element.
 *
 * @param covered the width of the view that is covered on the right, in px.
 */
export function useFollowFocus(picture: RefObject<HTMLDivElement | null>, covered: number) {
  const { getViewport, setViewport } = useReactFlow();
  const reveal = () => {
    // The browser may have scrolled there. The library reverts that shortly after.
    picture.current?.scrollTo(0, 0);
    const box = document.activeElement?.closest(".react-flow__node")?.getBoundingClientRect();
    const room = picture.current?.getBoundingClientRect();
    if (!box || !room || !document.activeElement?.matches(":focus-visible")) return;
    const x = intoSight(box.left, box.right, room.left, room.right - covered);
    const y = intoSight(box.top, box.bottom, room.top, room.bottom);
    const camera = getViewport();
    if (x !== 0 || y !== 0) void setViewport({ ...camera, x: camera.x + x, y: camera.y + y });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the focused element may be covered now
  useEffect(reveal, [covered]);
  return ({ key }: KeyboardEvent): void => {
    if (key === "Tab") reveal();
  };
}

/** Returns the distance to move `start` to `end` between `first` and `last`; 0 when it fits already. */
function intoSight(start: number, end: number, first: number, last: number): number {
  if (start < first) return first + MARGIN - start;
  return end > last ? last - MARGIN - end : 0;
}
