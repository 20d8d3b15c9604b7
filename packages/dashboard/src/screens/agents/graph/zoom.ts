import { useStore } from "@xyflow/react";

/** Below this zoom nobody can read what is written small, so that it is not kept up to date either. */
const SMALL_PRINT_ZOOM = 0.6;

/** Whether the picture is that far away. */
export function useIsFar(): boolean {
  return useStore(({ transform: [, , zoom] }) => zoom < SMALL_PRINT_ZOOM);
}
