/**
 * The measuring script, as text because it runs in the browser before the page's own scripts. Its `bench` object
 * reports what a viewer notices.
 */
export const PROBE = `
  globalThis.bench = (() => {
    let frames = [];
    let tasks = [];
    let clicks = new Map();
    const observe = (type, options, each) =>
      new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, ...options });
    observe("longtask", {}, (task) => tasks.push(task));
    observe("event", { durationThreshold: 16 }, ({ interactionId, duration }) => {
      if (interactionId) clicks.set(interactionId, Math.max(clicks.get(interactionId) ?? 0, duration));
    });
    let liveAt = null;
    const frame = (now) => {
      frames.push(now);
      const isLive = document.querySelector("[role=status]")?.textContent === "Live";
      if (liveAt === null && isLive) liveAt = performance.now();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);

    const slider = () => document.querySelector("input[type=range][aria-label=Seq]");
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(performance.now());
      port2.postMessage(null);
    }));

    const until = async (isTrue) => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
    };

    return {
      /** Resolves when the dashboard is live, to the time in ms since navigation. */
      live: () => until(() => liveAt !== null).then(() => liveAt),
      /** Resolves when at least this many seqs can be shown. */
      whole: (events) => until(() => slider()?.max - slider()?.min + 1 >= events),
      /** Resolves when a baseline page has everything, to the time in ms since navigation. */
      caughtUp: () => until(() => globalThis.caughtUpAt !== undefined).then(() => globalThis.caughtUpAt),
      /** Resolves when a script with this name is loaded. */
      script: (part) => until(() => performance.getEntriesByType("resource").some(({ name }) => name.includes(part))),
      /** The seqs that can be shown. */
      range: () => ({ first: Number(slider()?.min ?? NaN), last: Number(slider()?.max ?? NaN) }),
      begin() {
        frames = [];
        tasks = [];
        clicks = new Map();
      },
      /**
       * Returns the measurements of a number of seconds: frames per second, tasks above 50 ms (shorter ones are not
       * reported by browsers), and clicks.
       */
      end(count) {
        const seconds = new Map();
        const [first = 0] = frames;
        const until = first + count * 1000;
        for (const at of frames) {
          const second = Math.floor((at - first) / 1000);
          seconds.set(second, (seconds.get(second) ?? 0) + 1);
        }
        return {
          framesPerSecond: Array.from({ length: count }, (_, second) => seconds.get(second) ?? 0),
          longestTaskMs: Math.max(0, ...tasks.filter(({ startTime }) => startTime < until).map(({ duration }) => duration)),
          clicksMs: [...clicks.values()],
        };
      },
      /** The middle of something that can be clicked, one among those in sight. */
      target(selector) {
        const seen = [...document.querySelectorAll(selector)].flatMap((element) => {
          const { left, top, width, height } = element.getBoundingClientRect();
          const [x, y] = [left + Math.min(width / 2, 40), top + height / 2];
          return width > 0 && element.contains(document.elementFromPoint(x, y)) ? [{ x, y }] : [];
        });
        return seen[Math.floor(Math.random() * seen.length)] ?? null;
      },
      /** Shows another seq; resolves to how long that took until it was painted, in ms. */
      async travel(seq) {
        const range = slider();
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
        const began = performance.now();
        set.call(range, seq);
        range.dispatchEvent(new Event("input", { bubbles: true }));
        const ended = await painted();
        if (Number(slider().value) !== seq) throw new Error("shows " + slider().value + " and not " + seq);
        return ended - began;
      },
      hide(hidden) {
        for (const [name, value] of [["hidden", hidden], ["visibilityState", hidden ? "hidden" : "visible"]])
          Object.defineProperty(document, name, { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      },
      /** Resolves when a seq has been painted, to how long that took, in ms. */
      async shows(seq) {
        const began = performance.now();
        while (!(Number(slider()?.max) >= seq)) await new Promise((resolve) => requestAnimationFrame(resolve));
        return (await painted()) - began;
      },
    };
  })();
`;
