/** Baseline pages that process the same events in the same browser. */
export const PLAIN_PAGES = {
  /** The minimum that a page can do with events. */
  "a page that only reads": "",
  /** The simplest implementation: each event changes the page on arrival. */
  "a page with a line for each event": `
    const line = document.createElement("li");
    line.textContent = event.seq + " " + event.type + " " + (event.agent_id ?? event.produced_by ?? "");
    list.append(line);
    if (list.children.length > 1000) list.firstElementChild.remove();
    list.lastElementChild.scrollIntoView();
  `,
} as const;

export type PlainPage = keyof typeof PLAIN_PAGES;

/** URL that the pages replace: a resource of the server without a content security policy. */
export const PLAIN_PATH = "/dashboard-config.json";

/**
 * Returns a page that processes each event.
 * @param since cursor for the server.
 */
export function plainPage(name: PlainPage, since: number): string {
  return `<!doctype html><title>${name}</title><p style="position:fixed;top:0"><a href="#">A link</a> <output>0</output></p><ol></ol><script>
    const began = performance.now();
    const list = document.querySelector("ol");
    const count = document.querySelector("output");
    const socket = new WebSocket("ws://" + location.host + "/plugin/ws?since=${since}");
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "caught_up") globalThis.caughtUpAt = performance.now() - began;
      if (event.seq === undefined) return;
      globalThis.seq = event.seq;
      ${PLAIN_PAGES[name]}
    };
    setInterval(() => { count.textContent = globalThis.seq; }, 1000);
  </script>`;
}
