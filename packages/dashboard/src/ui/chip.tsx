import type { ReactNode } from "react";
import { Link } from "../router/link.tsx";

/** An inline link to a run or an artifact. */
export function Chip({ href, title, children }: { href: string; title?: string | undefined; children: ReactNode }) {
  return (
    <Link
      href={href}
      title={title}
      className="inline-block rounded-lg border border-line bg-card px-2.5 py-1 text-sm hover:border-accent"
    >
      {children}
    </Link>
  );
}
