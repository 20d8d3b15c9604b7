/** Who was away for less than this, in ms, has missed nothing worth telling. */
export const AWAY_MS = 10_000;

/** Between two looks at the clock, in ms: a leap between them means that the machine or the page was asleep. */
const LOOK_MS = 1_000;
/**
 * How long after the return, in ms, what comes belongs to what was missed: a hidden tab is given it at once, a machine
 * that wakes has a connection to make first.
 */
const GRACE_MS = { hidden: 10_000, asleep: 30_000 } as const;

let since: number | null = null;
/** Until when what comes belongs to the absence; infinite while it lasts. */
let until = 0;
let lookedAt = 0;

/** Since when nobody could see what happened, as `Date.now()` counts; null when somebody can, and has been told. */
export function absentSince(): number | null {
  look();
  if (Date.now() > until) since = null;
  return since;
}

/** Says that what was missed has been told. */
export function absenceTold(): void {
  if (!document.hidden) since = null;
}

/** Begins to look whether the tab is hidden or asleep. */
export function watchAbsence(): void {
  lookedAt = Date.now();
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    look();
    if (!document.hidden) until = Math.max(Number.isFinite(until) ? until : 0, Date.now() + GRACE_MS.hidden);
    else {
      since ??= Date.now();
      until = Number.POSITIVE_INFINITY;
    }
  });
}

function look(): void {
  const now = Date.now();
  if (now - lookedAt > AWAY_MS && lookedAt > 0 && !document.hidden) {
    since ??= lookedAt;
    until = Math.max(until, now + GRACE_MS.asleep);
  }
  lookedAt = now;
}
