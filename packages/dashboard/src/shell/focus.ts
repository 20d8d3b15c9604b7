import { currentRoute, onRoute } from "../router/route.ts";

/** So many elements that had the focus are remembered. */
const REMEMBERED = 20;
/** For so many frames what had the focus may still be there before it goes: a screen that is made takes some. */
const PATIENCE = 120;

/**
 * Gives the focus a place when what had it has gone with the viewer's last step: on another screen that is its content, on
 * the same one what had it before. Otherwise whoever works by keyboard would begin at the top of the page.
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
    const place = currentRoute();
    if (place.screen === screen && place.id === id) return;
    const isOther = place.screen !== screen;
    ({ screen, id } = place);
    const had = document.activeElement;
    let frames = 0;
    const look = () => {
      frames += 1;
      // Whoever has given the focus to something else needs no help.
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
