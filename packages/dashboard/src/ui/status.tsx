import { Ban, Circle, CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";

const STATUS: Record<string, { color: string; icon: typeof Circle }> = {
  running: { color: "text-busy", icon: LoaderCircle },
  success: { color: "text-good", icon: CircleCheck },
  idle: { color: "text-soft", icon: Circle },
  interrupted: { color: "text-soft", icon: Ban },
  cancelled: { color: "text-soft", icon: Ban },
};

/** A status as a word and a shape, so that its colour is not all there is; what is none of the good ones is bad. */
export function Status({ value }: { value: string }) {
  const { color, icon: Icon } = STATUS[value] ?? { color: "text-bad", icon: CircleAlert };
  return (
    <span className={`inline-flex shrink-0 items-center gap-1 text-sm font-medium ${color}`}>
      <Icon size={14} aria-hidden="true" className={value === "running" ? "motion-safe:animate-spin" : ""} />
      {value}
    </span>
  );
}

/** A status as a shape alone, where the word stands beside it or is read aloud by other means. */
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
