import type { ArtifactState } from "@flock-ts/protocol";

/** Formats a duration: 12 ms, 3.4 s, 2 min 5 s. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Formats a size: 120 bytes, 3.4 kB, 2.5 MB. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} bytes`;
  return count < 999_950 ? `${(count / 1_000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}

/** Formats an amount: 1,234, or 0.001592. */
export function amount(spent: number): string {
  return spent.toLocaleString("en", { maximumFractionDigits: 6 });
}

/** Formats an ISO timestamp as local time, to the millisecond. */
export function clock(timestamp: string): string {
  const date = new Date(timestamp);
  const two = (part: number) => String(part).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** Returns the last part of an id. The first is the time, which neighbors share. */
export function short(id: string): string {
  return id.slice(-8);
}

/** Describes who may see an artifact. */
export function audience(visibility: ArtifactState["visibility"]): string {
  switch (visibility.kind) {
    case "public":
      return "everyone";
    case "private":
      return visibility.agents.length === 0 ? "owner only" : visibility.agents.join(", ");
    case "labelled":
      return `users cleared for ${visibility.required_labels.join(" and ")}`;
    case "tenant":
      return `tenant ${visibility.tenant_id}`;
    case "after":
      return `owner only until ${visibility.at}, then ${audience(visibility.then)}`;
  }
}
