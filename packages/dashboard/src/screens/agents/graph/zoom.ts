import { useStore } from "@xyflow/react";

/** Below this zoom small text is unreadable, so it is not updated. */
const SMALL_PRINT_ZOOM = 0.6;

/** Whether the view is zoomed out that far. */
export function useIsFar(): boolean {
  return useStore(({ transform: [, , zoom] }) => zoom < SMALL_PRINT_ZOOM);
}
