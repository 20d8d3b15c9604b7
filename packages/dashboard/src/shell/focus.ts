import { currentRoute, onRoute } from "../router/route.ts";

/** The number of previously focused elements that are kept. */
const REMEMBERED = 20;
/** The number of frames to wait for a focused element to disappear while a screen renders. */
const PATIENCE = 120;

/**
 * Moves the focus when the focused element disappears: to the content after a change of screen, else to the
 * previously focused element. Otherwise keyboard users would start at the top of the page.
 */
export function keepFocus(): void {
  const trail: WeakRef<HTMLElement>[] = [];
  addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement)) return;
    trail.push(new WeakRef(target));
    if (trail.length > REMEMBERED) trail.shift();
  });
  let { screen, id } = currentRoute();
  onRoute(() => {
    const route = currentRoute();
    if (route.screen === screen && route.id === id) return;
    const isOther = route.screen !== screen;
    ({ screen, id } = route);
    const had = document.activeElement;
    let frames = 0;
    const look = () => {
      frames += 1;
      // The focus has moved already.
      if (document.activeElement === had && had !== document.body && frames < PATIENCE) requestAnimationFrame(look);
      else if (frames < 2) requestAnimationFrame(look);
      else if (had === document.body || !had?.isConnected) settle(isOther ? [] : trail);
    };
    requestAnimationFrame(look);
  });
}

function settle(trail: readonly WeakRef<HTMLElement>[]): void {
  if (document.activeElement !== document.body) return;
  const before = trail
    .map((element) => element.deref())
    .findLast((element) => element?.isConnected && element.checkVisibility());
  (before ?? document.getElementById("content"))?.focus({ preventScroll: true });
}
