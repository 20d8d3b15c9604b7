import { type RefObject, type UIEvent, useLayoutEffect, useRef } from "react";

/** So near the end, in px, counts as at the end: zoomed pages scroll by fractions. */
const NEAR = 24;

/**
 * Keeps a box that grows scrolled to its end, until the reader scrolls up; at the end again, it follows again. Only the
 * reader scrolls up: to be away from the end may also mean that the box has just grown.
 */
export function useStickToEnd<E extends HTMLElement>(
  grown: unknown,
): {
  ref: RefObject<E | null>;
  onScroll: (event: UIEvent<E>) => void;
} {
  const ref = useRef<E>(null);
  const sticks = useRef(true);
  const lastTop = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: to scroll is what growth asks for
  useLayoutEffect(() => {
    if (sticks.current && ref.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, [grown]);
  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent<E>) => {
    if (scrollHeight - scrollTop - clientHeight < NEAR) sticks.current = true;
    else if (scrollTop < lastTop.current) sticks.current = false;
    lastTop.current = scrollTop;
  };
  return { ref, onScroll };
}
