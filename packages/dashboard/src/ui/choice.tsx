import { useParam } from "../router/route.ts";
import { type ChoiceProps, FIELD, GROWS } from "./filter-field.ts";

/** One of several, or any of them. */
export function Choice({
  param,
  label,
  none,
  choices,
}: ChoiceProps & { /** What stands there when nothing is chosen. */ readonly none: string }) {
  const [value, set] = useParam(param);
  return (
    <select
      aria-label={label}
      value={value}
      onChange={({ target }) => set(target.value)}
      className={`${FIELD} ${GROWS}`}
    >
      <option value="">{none}</option>
      {/* A link may ask for what there is none of. */}
      {value !== "" && !choices.includes(value) && <option>{value}</option>}
      {choices.map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
    </select>
  );
}
