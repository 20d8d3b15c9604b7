import { useParam } from "../router/route.ts";
import { type ChoiceProps, FIELD, GROWS } from "./filter-field.ts";

/** A select field with an option for any value. */
export function Choice({
  param,
  label,
  none,
  choices,
}: ChoiceProps & { /** The label when nothing is chosen. */ readonly none: string }) {
  const [value, set] = useParam(param);
  return (
    <select
      aria-label={label}
      value={value}
      onChange={({ target }) => set(target.value)}
      className={`${FIELD} ${GROWS}`}
    >
      <option value="">{none}</option>
      {/* A link may ask for a value that does not exist. */}
      {value !== "" && !choices.includes(value) && <option>{value}</option>}
      {choices.map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
    </select>
  );
}
