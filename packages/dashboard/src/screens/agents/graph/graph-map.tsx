import { MiniMap, useReactFlow, useStore } from "@xyflow/react";
import { isReadable, type PlacedBox } from "./first-view.ts";

/** A map of a graph that is too large to be readable as a whole. Marks the visible part. */
export function GraphMap({ boxes }: { boxes: readonly PlacedBox[] }) {
  const isLarge = useStore(({ width, height }) => boxes.length > 0 && !isReadable(boxes, { width, height }));
  const { setCenter, getZoom } = useReactFlow();
  if (!isLarge) return null;
  return (
    <MiniMap
      pannable
      zoomable
      onClick={(_, { x, y }) => void setCenter(x, y, { zoom: getZoom() })}
      ariaLabel="Graph map: click or drag to pan"
      bgColor="var(--card)"
      maskColor="color-mix(in srgb, var(--sunken) 70%, transparent)"
      maskStrokeColor="var(--accent)"
      maskStrokeWidth={2}
      nodeColor={({ selected }) => (selected ? "var(--accent)" : "var(--soft)")}
      // Above the library's attribution.
      className="mb-7! rounded-md border border-line"
      style={{ width: 160, height: 112 }}
    />
  );
}
