import { Fact } from "./fact.tsx";
import { short } from "./format.ts";

/** A name with a shortened id. The tooltip has the full id. */
export function IdFact({ name, id }: { name: string; id: string }) {
  return (
    <Fact name={name}>
      <span title={id} className="font-mono text-xs">
        {short(id)}
      </span>
    </Fact>
  );
}
