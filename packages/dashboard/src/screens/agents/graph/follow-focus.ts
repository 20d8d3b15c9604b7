import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, type RefObject, useEffect } from "react";

/** The room between what keys have led to and the edge, in px. */
const MARGIN = 12;

/**
 * Moves the camera as far as what Tab has led to stands out of sight: nothing else moves it. When the key goes up, and not
 * for any focus: whoever presses a button of the mouse focuses too, and would let go of it over something else.
 *
 * @param covered so much of the picture, on the right, lies under something else, in px.
 */
export function useFollowFocus(picture: RefObject<HTMLDivElement | null>, covered: number) {
  const { getViewport, setViewport } = useReactFlow();
  const reveal = () => {
    // The browser may have scrolled there, which the library undoes in a moment.
    picture.current?.scrollTo(0, 0);
    const box = document.activeElement?.closest(".react-flow__node")?.getBoundingClientRect();
    const room = picture.current?.getBoundingClientRect();
    if (!box || !room || !document.activeElement?.matches(":focus-visible")) return;
    const x = intoSight(box.left, box.right, room.left, room.right - covered);
    const y = intoSight(box.top, box.bottom, room.top, room.bottom);
    const camera = getViewport();
    if (x !== 0 || y !== 0) void setViewport({ ...camera, x: camera.x + x, y: camera.y + y });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what has the focus may have come to lie under something
  useEffect(reveal, [covered]);
  return ({ key }: KeyboardEvent): void => {
    if (key === "Tab") reveal();
  };
}

/** How far to go for what reaches from `start` to `end` to stand between `first` and `last`; 0 when it does. */
function intoSight(start: number, end: number, first: number, last: number): number {
  if (start < first) return first + MARGIN - start;
  return end > last ? last - MARGIN - end : 0;
}
