import type { ComponentProps } from "react";
import { go } from "./route.ts";

/** A link within the dashboard: opens in place, and in a new tab for those who ask for one. */
export function Link({ href, ...rest }: ComponentProps<"a"> & { href: string }) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(click) => {
        rest.onClick?.(click);
        if (click.metaKey || click.ctrlKey || click.shiftKey || click.button !== 0) return;
        click.preventDefault();
        go(href);
      }}
    />
  );
}
