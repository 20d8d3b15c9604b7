import { Ban, Circle, CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";

const STATUS: Record<string, { color: string; icon: typeof Circle }> = {
  running: { color: "text-busy", icon: LoaderCircle },
  success: { color: "text-good", icon: CircleCheck },
  idle: { color: "text-soft", icon: Circle },
  interrupted: { color: "text-soft", icon: Ban },
  cancelled: { color: "text-soft", icon: Ban },
};

/** A status as text with an icon, in addition to its color. Unknown statuses count as failed. */
export function Status({ value }: { value: string }) {
  const { color, icon: Icon } = STATUS[value] ?? { color: "text-bad", icon: CircleAlert };
  return (
    <span className={`inline-flex shrink-0 items-center gap-1 text-sm font-medium ${color}`}>
      <Icon size={14} aria-hidden="true" className={value === "running" ? "motion-safe:animate-spin" : ""} />
      {value}
    </span>
  );
}

/** A status as an icon alone, next to text or with another accessible name. */
export function StatusMark({ value }: { value: string }) {
  const { color, icon: Icon } = STATUS[value] ?? { color: "text-bad", icon: CircleAlert };
  return (
    <Icon
      size={14}
      aria-hidden="true"
      className={`shrink-0 ${color} ${value === "running" ? "motion-safe:animate-spin" : ""}`}
    />
  );
}
