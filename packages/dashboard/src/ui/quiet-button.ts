/** A button that does not ask for attention. */
export const quietButton =
  "inline-flex min-h-7 items-center gap-1.5 rounded-md border border-line bg-card px-2 text-xs text-soft hover:border-accent hover:text-ink disabled:opacity-45 disabled:hover:border-line";
