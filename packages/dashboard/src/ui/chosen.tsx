import { X } from "lucide-react";
import { useParam } from "../router/route.ts";
import { listOf } from "./filter-field.ts";

/** The chosen values of a parameter, each with a button to remove it. */
export function Chosen({ param, nameOf = (value) => value }: ChosenProps) {
  const [value, set] = useParam(param);
  const list = listOf(value);
  return list.map((one) => (
    <span
      key={one}
      title={one}
      className="inline-flex h-7 min-w-0 items-center rounded-full bg-accent-soft pl-2.5 text-xs text-accent"
    >
      <span className="truncate">{nameOf(one)}</span>
      <button
        type="button"
        aria-label={`Remove filter ${nameOf(one)}`}
        onClick={() => set(list.filter((other) => other !== one).join(","))}
        className="grid size-7 shrink-0 place-items-center rounded-full"
      >
        <X size={12} aria-hidden="true" />
      </button>
    </span>
  ));
}

interface ChosenProps {
  readonly param: string;
  /** Returns a value's label. */
  readonly nameOf?: (value: string) => string;
}
