import { useEffect, useRef } from "react";
import { useQuestions } from "../live/questions.ts";
import { Link } from "../place/link.tsx";
import { pathOf, usePlace } from "../place/place.ts";
import { SCREEN_ENTRIES } from "./screens.ts";

/** The screens: a column on the left, on narrow windows a row that scrolls. */
export function Navigation() {
  const { screen: shown } = usePlace();
  const questions = useQuestions(({ open }) => open.length);
  const here = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another screen may stand out of sight of the row
  useEffect(() => {
    here.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown]);
  return (
    <nav
      ref={here}
      aria-label="Screens"
      className="flex gap-1 overflow-x-auto border-line bg-card px-2 py-1.5 max-md:border-b md:w-14 md:flex-col md:border-r md:py-3 lg:w-44"
    >
      {SCREEN_ENTRIES.map(({ screen, name, icon: Icon }) => {
        const isHere = screen === shown;
        return (
          <Link
            key={screen}
            href={pathOf(screen)}
            title={name}
            aria-current={isHere ? "page" : undefined}
            className={`flex shrink-0 items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-sm -outline-offset-2 ${
              isHere ? "bg-accent-soft font-semibold text-accent" : "text-soft hover:bg-sunken hover:text-ink"
            }`}
          >
            <Icon size={17} aria-hidden="true" className="max-md:hidden" />
            <span className="md:max-lg:sr-only">{name}</span>
            {screen === "publish" && questions > 0 && (
              <span className="ml-auto rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent">
                {questions}
                <span className="sr-only"> {questions === 1 ? "question" : "questions"} for you</span>
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}
