import { useEffect, useRef, useState } from "react";
import { create } from "zustand";
import { session, timeTravel, useSession } from "../../session/tab-session.ts";
import { parsePosition } from "../../timeline/parse-position.ts";
import { clock } from "../../ui/format.ts";

const useWriting = create<{ readonly isOpen: boolean }>(() => ({ isOpen: false }));

/** The open field for a position. */
export function askWhereTo(): void {
  useWriting.setState({ isOpen: true });
}

/** The seq and time shown, as a button that opens a field to enter others. */
export function MomentField() {
  const isOpen = useWriting(({ isOpen }) => isOpen);
  const at = useSession(({ at }) => at);
  const seq = useSession(({ at, last }) => at ?? last);
  const moment = useSession(({ log }) => log.at(-1)?.timestamp);
  const isLoading = useSession(({ isLoading }) => isLoading);
  const complete = useSession(({ complete }) => complete);
  /** Returns the focus to the button. */
  const cameFromHere = useRef(false);
  if (isOpen) return <Field />;
  return (
    <button
      ref={(button) => {
        if (button && cameFromHere.current) button.focus();
        cameFromHere.current = false;
      }}
      type="button"
      aria-label={`Seq ${seq.toLocaleString("en")}${moment ? `, ${clock(moment)}` : ""}: go to another seq or time`}
      title="Go to a seq or time (t)"
      onClick={() => {
        cameFromHere.current = true;
        askWhereTo();
      }}
      className="min-w-24 shrink-0 rounded-lg px-1 text-right font-mono text-xs leading-4 tabular-nums hover:bg-sunken max-sm:ml-auto sm:w-36"
    >
      <span className={at === null ? "text-soft" : "font-semibold text-busy"}>#{seq.toLocaleString("en")}</span>
      <br />
      <span className="text-soft">
        {isLoading ? "reading…" : moment ? clock(moment) : complete ? "no events yet" : "waiting…"}
      </span>
    </button>
  );
}

function Field() {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  const opener = useRef(document.activeElement);
  const close = () => useWriting.setState({ isOpen: false });
  useEffect(() => () => (opener.current as HTMLElement | null)?.focus?.(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const where = parsePosition(text, session.timeline.log());
        setWrong(!where);
        if (!where) return;
        close();
        void timeTravel.travelToPosition(where);
      }}
      className="relative max-sm:order-first max-sm:basis-full sm:w-36 sm:shrink-0"
    >
      {isWrong && (
        <p
          id="wrong-moment"
          role="alert"
          className="absolute right-0 bottom-full mb-3 rounded-lg border border-bad bg-card px-2.5 py-1.5 text-xs whitespace-nowrap text-bad shadow-lg"
        >
          A seq, or a time such as 14:03 or 14:03:20
        </p>
      )}
      <input
        // biome-ignore lint/a11y/noAutofocus: opening the field is a request to type
        autoFocus
        aria-label="Go to a seq or time"
        aria-invalid={isWrong}
        aria-describedby={isWrong ? "wrong-moment" : undefined}
        placeholder="14:03 or #41200"
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setWrong(false);
        }}
        onBlur={close}
        onKeyDown={({ key }) => key === "Escape" && close()}
        className="h-8 w-full rounded-lg border border-line bg-sunken px-2 font-mono text-xs aria-invalid:border-bad max-sm:h-10 max-sm:text-base"
      />
    </form>
  );
}
