import type { ReactNode } from "react";

/** A name with its value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="truncate text-sm tabular-nums">{children}</dd>
    </div>
  );
}
