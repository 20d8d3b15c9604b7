import { X } from "lucide-react";
import { useActions } from "../control/actions.ts";
import { AnswerCard } from "../control/answers.tsx";
import { awayWords } from "../live/away.ts";
import { useLive } from "../live/store.ts";
import { travelTo } from "../live/travel.ts";
import { go, pathOf, usePlace } from "../place/place.ts";

/** What a viewer has to know and did not ask for. */
export function Notices() {
  const notice = useLive(({ notice }) => notice);
  const away = useLive(({ away }) => away);
  const { screen } = usePlace();
  const actions = useActions(({ actions }) => actions);
  // The Control screen has a place of its own for them.
  const news = screen === "control" ? [] : actions.filter(({ isNews }) => isNews).slice(-CARDS);
  return (
    <div className="pointer-events-none fixed inset-x-3 bottom-32 sm:bottom-20 z-10 flex flex-col items-center gap-2">
      {notice !== null && (
        <Card role="alert" dismiss={() => useLive.setState({ notice: null })} className="border-busy text-busy">
          {notice}
        </Card>
      )}
      <div role="status" aria-label="Answers" className="contents">
        {news.map((action) => (
          <AnswerCard key={action.id} action={action} />
        ))}
      </div>
      {away !== null && (
        <Card role="status" dismiss={() => useLive.setState({ away: null })} className="border-line">
          {awayWords(away)}{" "}
          {away.firstFailure !== null && (
            <button
              type="button"
              className="text-accent underline underline-offset-2"
              onClick={() => {
                go(pathOf("events"));
                travelTo(away.firstFailure as number);
                useLive.setState({ away: null });
              }}
            >
              Show the first failure
            </button>
          )}
        </Card>
      )}
    </div>
  );
}

/** Answers that are shown at a time. */
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
