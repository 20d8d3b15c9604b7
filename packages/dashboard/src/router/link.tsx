import type { ComponentProps } from "react";
import { go } from "./route.ts";

/** A link within the dashboard. Opens in place, or in a new tab with a modifier key. */
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
