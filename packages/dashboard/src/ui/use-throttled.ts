import { useEffect, useRef, useState } from "react";

/** Returns a value at most so many ms old. For values that are too expensive to compute in each frame. */
export function useThrottled<V>(value: V, ms: number): V {
  const [throttled, setThrottled] = useState(value);
  const latest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const setAt = useRef(0);
  useEffect(() => {
    latest.current = value;
    if (timer.current !== undefined || Object.is(value, throttled)) return;
    const wait = Math.max(0, setAt.current + ms - performance.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      setAt.current = performance.now();
      setThrottled(latest.current);
    }, wait);
  }, [value, throttled, ms]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return ms === 0 ? value : throttled;
}
