import { Link } from "../router/link.tsx";
import { Fact } from "./fact.tsx";
import { short } from "./format.ts";

/** The workflow of an item, with a link to its `things`. */
export function WorkflowFact({ id, things, href }: { id: string; things: string; href: string }) {
  return (
    <Fact name="Workflow">
      <Link
        href={href}
        title={id}
        aria-label={`All ${things} of workflow ${short(id)}`}
        className="font-mono text-xs text-accent underline underline-offset-2"
      >
        {short(id)}
      </Link>
    </Fact>
  );
}
