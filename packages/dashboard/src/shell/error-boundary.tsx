import { Component, type ReactNode } from "react";

/** Shows the error of a screen with a button to reload. The rest of the page continues to work. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div role="alert" className="mx-auto flex max-w-lg flex-col items-start gap-3 p-10">
        <h1 className="text-lg font-semibold">Failed to show this screen</h1>
        <p className="text-sm break-words text-soft">{error.message}</p>
        <p className="text-sm">
          If the server is unavailable, wait until it is available. If it was updated, reload the page.
        </p>
        <button
          type="button"
          onClick={() => location.reload()}
          className="rounded-lg bg-accent px-3 py-1.5 text-sm font-medium text-on-accent"
        >
          Reload page
        </button>
      </div>
    );
  }
}
