// @vitest-environment happy-dom
import { Activity, act, type ReactNode, StrictMode, Suspense, use } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeSocket, fakeWebSocket, outputEvent } from "../fake-socket.ts";
import { type Address, type ConnectOptions, connect, type FlockClient, type FlockEvent } from "./index.ts";
import { useConnection, useFlock, useFlockEvent, useReducedEvents } from "./react.ts";

const ending: (() => void)[] = [];
beforeEach(() => vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true));
afterEach(() => {
  for (const end of ending.splice(0).reverse()) end();
  vi.unstubAllGlobals();
});

/** Renders into a page, and waits for effects. */
async function mount(first: ReactNode) {
  const container = document.createElement("div");
  const root = createRoot(container);
  const render = (node: ReactNode) => act(async () => root.render(node));
  ending.push(() => act(() => root.unmount()));
  await render(first);
  return { render, text: () => container.textContent, unmount: () => act(async () => root.unmount()) };
}

/** A client that is live, and its server. */
function live() {
  const { WebSocket, sockets } = fakeWebSocket();
  const client = connect("ws://h/ws", { WebSocket });
  ending.push(() => client.close());
  const socket = sockets[0] as FakeSocket;
  socket.hello();
  return { client, socket, sockets };
}

/** Delivers events, and waits for the frame in which React shows them. */
const deliver = (socket: FakeSocket, ...seqs: number[]) =>
  act(async () => {
    for (const seq of seqs) socket.receive({ ...outputEvent(seq) });
    await new Promise((resolve) => requestAnimationFrame(resolve));
  });

const append = (seqs: readonly number[], { seq }: FlockEvent) => [...seqs, seq];

function Seqs({ client, reduce = append }: { client: FlockClient | null; reduce?: typeof append }) {
  return <p>{useReducedEvents(client, reduce, []).join(" ")}</p>;
}

/** Waits for `slow`, if it is given. */
function Slow({ client, slow }: { client: FlockClient; slow: Promise<string> | undefined }) {
  const seqs = useReducedEvents(client, append, []);
  return (
    <p>
      {slow && use(slow)} {seqs.join(" ")}
    </p>
  );
}

function Calls({ client, name, calls }: { client: FlockClient; name: string; calls: string[] }) {
  useFlockEvent(client, "streaming_output", ({ seq }) => calls.push(`${name} ${seq}`));
  return null;
}

function Status({ client }: { client: FlockClient }) {
  return useConnection(client).status;
}

function Page({ url, options }: { url: Address; options: ConnectOptions }) {
  const client = useFlock(url, options);
  return client && <Seqs client={client} />;
}

describe("useReducedEvents", () => {
  it("folds each event once in strict mode, and continues", async () => {
    const { client, socket } = live();
    const page = await mount(
      <StrictMode>
        <Seqs client={client} />
      </StrictMode>,
    );
    await deliver(socket, 1, 2);
    expect(page.text()).toBe("1 2");
    await deliver(socket, 3);
    expect(page.text()).toBe("1 2 3");
  });

  it.for([true, false])("folds the events of the time in which it was hidden (strict mode: %s)", async (strict) => {
    const { client, socket } = live();
    const hidden = (is: boolean) => {
      const activity = (
        <Activity mode={is ? "hidden" : "visible"}>
          <Seqs client={client} />
        </Activity>
      );
      return strict ? <StrictMode>{activity}</StrictMode> : activity;
    };
    const page = await mount(hidden(false));
    await deliver(socket, 1);
    // A frame is pending when it is hidden.
    await act(async () => socket.receive({ ...outputEvent(2) }));
    await page.render(hidden(true));
    await deliver(socket, 3, 4);
    await page.render(hidden(false));
    expect(page.text()).toBe("1 2 3 4");
    await deliver(socket, 5);
    expect(page.text()).toBe("1 2 3 4 5");
  });

  it("folds the events of the time in which it was suspended", async () => {
    const { client, socket } = live();
    const { promise, resolve } = Promise.withResolvers<string>();
    const within = (waits: boolean) => (
      <StrictMode>
        <Suspense fallback="loading">
          <Slow client={client} slow={waits ? promise : undefined} />
        </Suspense>
      </StrictMode>
    );
    const page = await mount(within(false));
    await deliver(socket, 1);
    await page.render(within(true));
    expect(page.text()).toContain("loading");
    await deliver(socket, 2, 3);
    await act(async () => resolve("loaded"));
    expect(page.text()).toContain("loaded 1 2 3");
    await deliver(socket, 4);
    expect(page.text()).toContain("loaded 1 2 3 4");
  });

  it.for(["visible", "hidden"] as const)("stops when it is removed while it is %s", async (mode) => {
    const { client, socket } = live();
    const reduce = vi.fn(append);
    const page = await mount(
      <Activity>
        <Seqs client={client} reduce={reduce} />
      </Activity>,
    );
    await page.render(
      <Activity mode={mode}>
        <Seqs client={client} reduce={reduce} />
      </Activity>,
    );
    await deliver(socket, 1);
    expect(reduce).toHaveBeenCalledOnce();
    await page.render(null);
    await deliver(socket, 2);
    expect(reduce).toHaveBeenCalledOnce();
  });

  it("starts again with another log, and with another client", async () => {
    const { client, socket, sockets } = live();
    const page = await mount(<Seqs client={client} />);
    await deliver(socket, 7);
    await act(async () => {
      socket.lose();
      client.retryNow();
      const next = sockets[1] as FakeSocket;
      next.hello({ epoch: "two", head: 1 });
      next.receive({ type: "gap", from_seq: 1, to_seq: 0, reason: "epoch" });
    });
    await deliver(sockets[1] as FakeSocket, 1);
    expect(page.text()).toBe("1");
    const other = live();
    await page.render(<Seqs client={other.client} />);
    await deliver(other.socket, 4);
    expect(page.text()).toBe("4");
  });

  it("uses the latest reducer", async () => {
    const { client, socket } = live();
    const page = await mount(<Seqs client={client} />);
    await deliver(socket, 1);
    await page.render(<Seqs client={client} reduce={(seqs, { seq }) => [...seqs, seq * 10]} />);
    await deliver(socket, 2);
    expect(page.text()).toBe("1 20");
  });
});

describe("useFlockEvent", () => {
  it("calls the latest listener once per event, and not while it is hidden", async () => {
    const { client, socket } = live();
    const calls: string[] = [];
    const page = (name: string, mode: "visible" | "hidden" = "visible") => (
      <StrictMode>
        <Activity mode={mode}>
          <Calls client={client} name={name} calls={calls} />
        </Activity>
      </StrictMode>
    );
    const { render, unmount } = await mount(page("a"));
    await deliver(socket, 1);
    await render(page("b"));
    await deliver(socket, 2);
    await render(page("b", "hidden"));
    await deliver(socket, 3);
    await render(page("b"));
    await deliver(socket, 4);
    await unmount();
    await deliver(socket, 5);
    expect(calls).toEqual(["a 1", "b 2", "b 4"]);
  });
});

describe("useConnection", () => {
  it("renders each change of the state", async () => {
    const { client, socket } = live();
    const page = await mount(
      <StrictMode>
        <Status client={client} />
      </StrictMode>,
    );
    expect(page.text()).toBe("live");
    await act(async () => socket.lose());
    expect(page.text()).toBe("waiting");
  });
});

describe("useFlock", () => {
  /** A component with its own client, and the sockets that it has opened. */
  function setUp() {
    const { WebSocket, sockets } = fakeWebSocket();
    const options = { WebSocket, since: 0 };
    const open = () => sockets.filter(({ readyState }) => readyState !== 3);
    return { open, sockets, options };
  }

  it("keeps one connection in strict mode, and none after it is removed", async () => {
    const { open, options } = setUp();
    const page = await mount(
      <StrictMode>
        <Page url="ws://h/ws" options={options} />
      </StrictMode>,
    );
    expect(open()).toHaveLength(1);
    open()[0]?.hello();
    await deliver(open()[0] as FakeSocket, 1);
    expect(page.text()).toBe("1");
    await page.unmount();
    expect(open()).toEqual([]);
  });

  it("disconnects while it is hidden, and connects again", async () => {
    const { open, sockets, options } = setUp();
    const within = (mode: "visible" | "hidden") => (
      <Activity mode={mode}>
        <Page url="ws://h/ws" options={options} />
      </Activity>
    );
    const page = await mount(within("visible"));
    open()[0]?.hello();
    await deliver(open()[0] as FakeSocket, 1, 2);
    await page.render(within("hidden"));
    expect(open()).toEqual([]);
    await page.render(within("visible"));
    expect(open()).toHaveLength(1);
    expect(sockets).toHaveLength(2);
    open()[0]?.hello();
    await deliver(open()[0] as FakeSocket, 1, 2, 3);
    expect(page.text()).toBe("1 2 3");
  });

  it("connects again for another URL, but not for another function", async () => {
    const { sockets, options } = setUp();
    const page = await mount(<Page url="ws://h/one" options={options} />);
    await page.render(<Page url={new URL("ws://h/one")} options={options} />);
    expect(sockets).toHaveLength(1);
    await page.render(<Page url="ws://h/two" options={options} />);
    expect(sockets.map(({ url }) => new URL(url).pathname)).toEqual(["/one", "/two"]);
    await page.render(<Page url={() => "ws://h/three"} options={options} />);
    await page.render(<Page url={() => "ws://h/four"} options={options} />);
    expect(sockets).toHaveLength(3);
    await act(async () => sockets[2]?.lose(4408));
    expect(sockets[2]?.url).toContain("/three");
  });

  it("gives the client to other components before its first event", async () => {
    const { WebSocket: Socket } = fakeWebSocket();
    class Fast extends (Socket as unknown as typeof FakeSocket) {
      constructor(url: string) {
        super(url);
        // Earlier than any server can answer.
        queueMicrotask(() => {
          this.hello();
          this.receive({ ...outputEvent(1) });
        });
      }
    }
    const options = { WebSocket: Fast as never, since: 0 };
    const page = await mount(<Page url="ws://h/ws" options={options} />);
    await act(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    expect(page.text()).toBe("1");
  });
});
