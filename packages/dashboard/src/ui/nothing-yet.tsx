import type { ReactNode } from "react";
import { useSession } from "../session/tab-session.ts";
import { Empty } from "./empty.tsx";

/** An `Empty` for data that may still be loading. Shows its message only after loading. */
export function NothingYet({ children }: { children: ReactNode }) {
  const complete = useSession(({ complete }) => complete);
  return <Empty>{complete ? children : "Loading…"}</Empty>;
}
