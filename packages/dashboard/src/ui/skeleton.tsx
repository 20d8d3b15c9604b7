/** A placeholder while code or data loads. */
export function Skeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-3 p-6">
      {[60, 90, 75, 85, 50].map((width) => (
        <div key={width} style={{ width: `${width}%` }} className="skeleton h-4 rounded-md bg-line" />
      ))}
    </div>
  );
}
