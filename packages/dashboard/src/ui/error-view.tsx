import type { WireError } from "@flock-ts/protocol";
import { CopyButton } from "./copy-button.tsx";
import { errorText } from "./error-text.ts";

/** An error with its stack and causes. `isAlert` announces it to screen readers at once. */
export function ErrorView({ error, isAlert = false }: { error: WireError; isAlert?: boolean }) {
  return (
    <div className="rounded-xl border border-bad bg-card p-3 text-sm">
      <div className="flex items-start gap-2">
        <p
          role={isAlert ? "alert" : undefined}
          className="min-w-0 flex-1 font-mono break-words whitespace-pre-wrap text-bad"
        >
          {error.name}: {error.message}
        </p>
        <CopyButton text={() => errorText(error)} label="Copy error">
          Copy
        </CopyButton>
      </div>
      <Stack error={error} />
      {error.cause && <Causes first={error.cause} />}
    </div>
  );
}

type Cause = Pick<WireError, "name" | "message" | "stack"> & { readonly cause?: Cause | undefined };

function Causes({ first }: { first: Cause }) {
  const causes: Cause[] = [];
  for (let cause: Cause | undefined = first; cause; cause = cause.cause) causes.push(cause);
  return (
    <ol aria-label="Causes" className="mt-2 grid gap-2 border-l-2 border-line pl-3">
      {causes.map((cause, depth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a cause is its index
        <li key={depth} className="min-w-0">
          <p className="font-mono break-words whitespace-pre-wrap">
            <span className="text-soft">caused by </span>
            {cause.name}: {cause.message}
          </p>
          <Stack error={cause} />
        </li>
      ))}
    </ol>
  );
}

function Stack({ error: { name, stack } }: { error: Cause }) {
  if (stack === undefined) return null;
  return (
    <details className="mt-1.5">
      <summary className="w-fit cursor-pointer text-xs text-soft">
        Stack<span className="sr-only"> of {name}</span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <pre tabIndex={0} className="mt-1 max-h-72 overflow-auto rounded-lg bg-sunken p-2 font-mono text-xs">
        {stack}
      </pre>
    </details>
  );
}
