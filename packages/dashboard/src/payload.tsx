import { JsonViewer } from "./json/json-viewer.tsx";

/** A payload to read, search and copy. */
export function Payload({ value }: { value: unknown }) {
  return (
    <section aria-label="Payload">
      <h2 className="mb-1.5 text-sm font-medium text-soft">Payload</h2>
      <JsonViewer source={{ value }} />
    </section>
  );
}

/** JSON to read. */
export function Tree({ value }: { value: unknown }) {
  return <JsonViewer source={{ value }} label="JSON" />;
}
