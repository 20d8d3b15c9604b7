import type { ReactNode } from "react";

/** What a screen shows when there is nothing to show: what that means, and what to do. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="mx-auto max-w-md p-10 text-center text-soft">{children}</p>;
}
