import { ChevronDown } from "lucide-react";
import { useRef } from "react";
import { useParam } from "../router/route.ts";
import { type ChoiceProps, FIELD, GROWS, listOf } from "./filter-field.ts";

/** A choice of several values; `Chosen` shows them. Not a select, which would act while it is navigated by keyboard. */
export function Choices({ param, label, choices }: ChoiceProps) {
  const [value, set] = useParam(param);
  const list = listOf(value);
  const box = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (box.current) box.current.open = false;
  };
  return (
    <details
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !box.current?.open) return;
        event.stopPropagation();
        close();
        box.current.querySelector("summary")?.focus();
      }}
      onBlur={({ relatedTarget, currentTarget }) => {
        if (relatedTarget instanceof Node && !currentTarget.contains(relatedTarget)) close();
      }}
      className={`group relative ${GROWS}`}
    >
      <summary className={`${FIELD} flex list-none items-center gap-1 [&::-webkit-details-marker]:hidden`}>
        <span className="flex-1 truncate">{label}</span>
        <ChevronDown size={14} aria-hidden="true" className="shrink-0 group-open:rotate-180" />
      </summary>
      <fieldset className="absolute z-10 mt-1 max-h-[60vh] min-w-full overflow-y-auto rounded-lg border border-line bg-card p-1 shadow-lg">
        <legend className="sr-only">{label}</legend>
        {choices.map((choice) => (
          <label
            key={choice}
            className="flex min-h-7 items-center gap-2 rounded-md px-2 text-sm whitespace-nowrap hover:bg-sunken"
          >
            <input
              type="checkbox"
              checked={list.includes(choice)}
              onChange={({ target }) =>
                set((target.checked ? [...list, choice] : list.filter((one) => one !== choice)).join(","))
              }
            />
            {choice}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
