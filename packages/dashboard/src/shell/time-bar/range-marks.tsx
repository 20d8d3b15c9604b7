import { rangeSelection, useRange, useSession } from "../../session/tab-session.ts";

/** The draggable ends of the range to save. */
export function RangeMarks() {
  const range = useRange(({ range }) => range);
  const first = useSession(({ first, past }) => past?.from ?? first);
  const last = useSession(({ last, past }) => past?.to ?? last);
  if (!range) return null;
  const share = (seq: number) => `${Math.max(0, Math.min(1, (seq - first) / Math.max(1, last - first))) * 100}%`;
  return (
    <>
      <div
        aria-hidden="true"
        style={{ left: share(range.from), right: `calc(100% - ${share(range.to)})` }}
        className="pointer-events-none absolute inset-y-0 rounded-sm border-x border-accent bg-accent/15"
      />
      {(["from", "to"] as const).map((end) => (
        <input
          key={end}
          type="range"
          aria-label={end === "from" ? "Range from seq" : "Range to seq"}
          min={Math.min(first, last)}
          max={last}
          value={range[end]}
          onChange={({ target }) => rangeSelection.move(end, Number(target.value))}
          className="range-mark absolute inset-0 w-full"
        />
      ))}
    </>
  );
}
