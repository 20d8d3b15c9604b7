import type { ReactNode } from "react";

/** An empty state: what it means and what to do. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="mx-auto max-w-md p-10 text-center text-soft">{children}</p>;
}
