import { X } from "lucide-react";
import { type RefObject, useEffect, useRef, useState } from "react";
import { missedText } from "../absence/summary.ts";
import { AnswerCard } from "../commands/answers.tsx";
import { useActions } from "../commands/tab-actions.ts";
import { go, pathOf, useRoute } from "../router/route.ts";
import { session, timeTravel, useSession } from "../session/tab-session.ts";

/** Notices for the viewer. */
export function Notices() {
  const notice = useSession(({ notice }) => notice);
  const away = useSession(({ away }) => away);
  const { screen } = useRoute();
  const actions = useActions(({ actions }) => actions);
  // The Control screen shows results itself.
  const news = screen === "control" ? [] : actions.filter(({ isNews }) => isNews).slice(-CARDS);
  const box = useRef<HTMLDivElement>(null);
  const isAbove = useWayOut(box, [notice, away?.firstFailure, ...news.map(({ id }) => id)].join());
  return (
    <div
      ref={box}
      className={`pointer-events-none fixed inset-x-3 z-10 flex flex-col items-center gap-2 ${
        isAbove ? "top-28 md:top-16" : "bottom-32 sm:bottom-20"
      }`}
    >
      {notice !== null && (
        <Card role="alert" dismiss={() => session.dismissNotice()} className="border-busy text-busy">
          {notice}
        </Card>
      )}
      <div role="status" aria-label="Action results" className="contents">
        {news.map((action) => (
          <AnswerCard key={action.id} action={action} />
        ))}
      </div>
      {away !== null && (
        <Card role="status" dismiss={() => session.dismissMissed()} className="border-line">
          {missedText(away)}{" "}
          {away.firstFailure !== null && (
            <button
              type="button"
              className="text-accent underline underline-offset-2"
              onClick={() => {
                go(pathOf("events"));
                timeTravel.travelTo(away.firstFailure as number);
                session.dismissMissed();
              }}
            >
              Show first failure
            </button>
          )}
        </Card>
      )}
    </div>
  );
}

/** Whether notices must move to the top to keep the focused element visible. `shown` changes with the notices. */
function useWayOut(box: RefObject<HTMLDivElement | null>, shown: string): boolean {
  const [isAbove, setAbove] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another notice may cover more
  useEffect(() => {
    const look = () => {
      const { activeElement } = document;
      if (!activeElement || activeElement === document.body || box.current?.contains(activeElement)) return;
      const { x, y, width, height } = activeElement.getBoundingClientRect();
      const middle = y + height / 2;
      const there = document.elementFromPoint(x + width / 2, middle);
      if (there && box.current?.contains(there)) setAbove(middle > innerHeight / 2);
    };
    // One frame later it has been scrolled into view.
    const later = () => requestAnimationFrame(look);
    later();
    addEventListener("focusin", later);
    return () => removeEventListener("focusin", later);
  }, [shown]);
  return isAbove;
}

/** The largest number of results shown. */
const CARDS = 3;

function Card({ role, dismiss, className, children }: CardProps) {
  return (
    <div
      role={role}
      className={`pointer-events-auto flex max-w-2xl items-center gap-3 rounded-xl border bg-card px-4 py-3 text-sm shadow-lg ${className}`}
    >
      <span className="flex-1">{children}</span>
      <button type="button" aria-label="Dismiss" onClick={dismiss} className="rounded-md p-1 text-soft hover:text-ink">
        <X size={16} aria-hidden="true" />
      </button>
    </div>
  );
}

interface CardProps {
  readonly role: "alert" | "status";
  readonly dismiss: () => void;
  readonly className: string;
  readonly children: React.ReactNode;
}
