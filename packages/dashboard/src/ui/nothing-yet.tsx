import type { ReactNode } from "react";
import { useSession } from "../session/tab-session.ts";
import { Empty } from "./empty.tsx";

/** As `Empty`, for what may still be on its way: says that nothing is there only when that is known. */
export function NothingYet({ children }: { children: ReactNode }) {
  const complete = useSession(({ complete }) => complete);
  return <Empty>{complete ? children : "Loading…"}</Empty>;
}
