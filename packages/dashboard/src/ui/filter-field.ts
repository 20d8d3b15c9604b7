/** Class names that the fields of a filter share. */
export const FIELD = "h-8 min-w-0 rounded-lg border border-line bg-card px-2 text-sm";

/** How a select grows with the width of the filter. */
export const GROWS = "min-w-28 flex-1 @xl:max-w-44 @xl:flex-none";

/** A URL parameter and its values. */
export interface ChoiceProps {
  readonly param: string;
  readonly label: string;
  readonly choices: readonly string[];
}

/** Splits a parameter with several values. */
export function listOf(chosen: string): string[] {
  return chosen.split(",").filter(Boolean);
}
