/** The frames that the browser paints. */
export interface Frames {
  /** Whether the tab is hidden: then it paints nothing. */
  isHidden(): boolean;
  /** Resolves before the next frame is painted. In a hidden tab it resolves when the tab becomes visible. */
  next(): Promise<void>;
}

/** The frames of this tab. */
export const browserFrames: Frames = {
  isHidden: () => document.hidden,
  next: () =>
    new Promise((resolve) => {
      if (!document.hidden) {
        requestAnimationFrame(() => resolve());
        return;
      }
      const seen = () => {
        if (document.hidden) return;
        document.removeEventListener("visibilitychange", seen);
        resolve();
      };
      document.addEventListener("visibilitychange", seen);
    }),
};
