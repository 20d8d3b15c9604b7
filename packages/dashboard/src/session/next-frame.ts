/** Resolves when the next frame is about to be painted; in a hidden tab, which paints none, when it is seen again. */
export function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    const paint = () => requestAnimationFrame(() => resolve());
    if (!document.hidden) {
      paint();
      return;
    }
    const seen = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", seen);
      resolve();
    };
    document.addEventListener("visibilitychange", seen);
  });
}
