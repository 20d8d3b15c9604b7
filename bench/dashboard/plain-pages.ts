/** Pages beside which the dashboard is measured: they follow the same events, in the same browser. */
export const PLAIN_PAGES = {
  /** The least that any page can do with events. */
  "a page that only reads": "",
  /** What is written first: each event changes the page when it comes. */
  "a page with a line for each event": `
    const line = document.createElement("li");
    line.textContent = event.seq + " " + event.type + " " + (event.agent_id ?? event.produced_by ?? "");
    list.append(line);
    if (list.children.length > 1000) list.firstElementChild.remove();
    list.lastElementChild.scrollIntoView();
  `,
} as const;

export type PlainPage = keyof typeof PLAIN_PAGES;

/** What such a page takes the place of: something of the server, without a policy that forbids it its script. */
export const PLAIN_PATH = "/dashboard-config.json";

/** A page that does something with each event. `since` is what the server is asked for. */
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
