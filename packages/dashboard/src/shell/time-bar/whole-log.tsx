import { timeTravel, useSession } from "../../session/tab-session.ts";

/**
 * The server's whole log, when the tab has only a part of it: the part on the timeline, and a slider to navigate
 * elsewhere.
 */
export function WholeLog() {
  const oldest = useSession(({ oldest }) => oldest);
  const last = useSession(({ last }) => last);
  const from = useSession(({ past, from }) => past?.from ?? from);
  const to = useSession(({ past, last }) => past?.to ?? last);
  const seq = useSession(({ at, last }) => at ?? last);
  const isMore = useSession(({ oldest, from }) => oldest < from);
  if (!isMore) return null;
  const share = (seq: number) => ((seq - oldest) / Math.max(1, last - oldest)) * 100;
  return (
    <div
      title={`The whole log, from seq ${oldest.toLocaleString("en")} on. The timeline covers ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`}
      className="relative h-6 shrink-0 max-sm:order-first max-sm:basis-full sm:ml-2 sm:w-24 lg:w-40"
    >
      <div aria-hidden="true" className="absolute inset-x-0 top-2.5 h-1 rounded-full bg-line" />
      <div
        aria-hidden="true"
        style={{ left: `${share(from)}%`, right: `${100 - share(to)}%` }}
        className="absolute top-1.5 h-3 min-w-1 rounded-sm bg-accent/40"
      />
      <input
        type="range"
        aria-label="Whole log"
        aria-valuetext={`seq ${seq} of ${oldest} to ${last}`}
        min={oldest}
        max={last}
        value={seq}
        onChange={({ target }) => {
          timeTravel.pause();
          timeTravel.travelTo(Number(target.value));
        }}
        className="whole-log absolute inset-0 w-full"
      />
    </div>
  );
}
