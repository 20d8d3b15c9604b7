import type { Page } from "@playwright/test";

/** Frames without a change after which something counts as still. Transitions change something in every frame. */
const STILL_FRAMES = 10;
/** Frames without a change of the document after which a screen has rendered all that it received. */
const QUIET_FRAMES = 20;
const MOST_FRAMES = 120;

/** Waits until an expression has the same value in 10 consecutive animation frames of the page. Returns the value. */
export async function stillValue<V>(page: Page, expression: string): Promise<V> {
  const json = await page.evaluate<string>(`new Promise((resolve) => {
    let before;
    let frames = 0;
    const look = () => {
      const now = JSON.stringify(${expression});
      frames = now === before ? frames + 1 : 0;
      before = now;
      if (frames === ${STILL_FRAMES}) resolve(now);
      else requestAnimationFrame(look);
    };
    look();
  })`);
  return JSON.parse(json) as V;
}

/**
 * Waits until the document has not changed for 20 consecutive animation frames, but at most 120 frames. Some screens
 * have figures that change every second, which 20 frames of a busy machine exceed.
 */
export async function quietDocument(page: Page): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    let frames = 0;
    let quietFrames = 0;
    const observer = new MutationObserver(() => { quietFrames = 0; });
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    const look = () => {
      frames += 1;
      quietFrames += 1;
      if (quietFrames <= ${QUIET_FRAMES} && frames < ${MOST_FRAMES}) requestAnimationFrame(look);
      else {
        observer.disconnect();
        resolve();
      }
    };
    requestAnimationFrame(look);
  })`);
}
