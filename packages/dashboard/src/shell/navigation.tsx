import { useQuestions } from "../queries/questions.ts";
import { Link } from "../router/link.tsx";
import { pathOf, useRoute } from "../router/route.ts";
import { SCREEN_ENTRIES } from "./screens.ts";

/** Names below icons, in the largest size that fits. */
const SMALL = "max-md:text-[0.625rem] max-md:leading-3.5 min-[24rem]:max-md:text-[0.6875rem]";

/**
 * The links to the screens: a column on the left; on narrow windows a row with short names, or without names on the
 * narrowest.
 */
export function Navigation() {
  const { screen: shown } = useRoute();
  const questions = useQuestions(({ open }) => open.length);
  return (
    <nav
      aria-label="Screens"
      className="grid auto-cols-fr grid-flow-col border-line bg-card px-1 py-1 max-md:border-b md:flex md:w-14 md:flex-col md:gap-1 md:border-r md:px-2 md:py-3 lg:w-44"
    >
      {SCREEN_ENTRIES.map(({ screen, name, short, icon: Icon }) => {
        const isHere = screen === shown;
        return (
          <Link
            key={screen}
            href={pathOf(screen)}
            title={name}
            aria-current={isHere ? "page" : undefined}
            className={`relative flex items-center rounded-lg text-sm -outline-offset-2 max-md:min-h-10 max-md:flex-col max-md:justify-center max-md:gap-0.5 md:gap-2.5 md:px-2.5 md:py-1.5 ${
              isHere ? "bg-accent-soft font-semibold text-accent" : "text-soft hover:bg-sunken hover:text-ink"
            }`}
          >
            <Icon size={17} aria-hidden="true" />
            {short !== undefined && (
              <span aria-hidden="true" className={`md:hidden max-[22.5rem]:hidden ${SMALL}`}>
                {short}
              </span>
            )}
            <span
              className={short === undefined ? `max-[22.5rem]:sr-only md:max-lg:sr-only ${SMALL}` : "max-lg:sr-only"}
            >
              {name}
            </span>
            {screen === "publish" && questions > 0 && (
              <span className="rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent max-lg:absolute max-lg:top-0 max-lg:right-0 lg:ml-auto">
                {questions}
                <span className="sr-only"> open {questions === 1 ? "question" : "questions"}</span>
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}
