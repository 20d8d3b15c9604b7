import { afterEach, describe, expect, it, vi } from "vitest";
import { type FakeSocket, fakeWebSocket } from "../../../client/fake-socket.ts";
import type { ToTab, ToWorker } from "./feed.ts";

const { WebSocket, sockets } = fakeWebSocket();
const last = () => sockets.at(-1) as FakeSocket;

/** A tab of the worker, and the states that it has received. */
async function tab() {
  vi.stubGlobal("self", globalThis);
  vi.stubGlobal("WebSocket", WebSocket);
  await import("./shared-feed.worker.ts");
  const { onconnect } = globalThis as unknown as { onconnect: (event: { ports: unknown[] }) => void };
  const states: string[] = [];
  const port = {
    onmessage: (_: { data: ToWorker }) => {},
    postMessage: (message: ToTab) => message.type === "connection" && states.push(message.state.status),
    close: () => {},
  };
  onconnect({ ports: [port] });
  port.onmessage({ data: { type: "join", url: "ws://h/ws" } });
  return { states };
}

afterEach(() => vi.unstubAllGlobals());

describe("the worker that tabs share", () => {
  it("holds one connection for all tabs, and opens another for a tab that joins after it has closed", async () => {
    const first = await tab();
    await tab();
    expect(sockets).toHaveLength(1);
    last().hello();
    last().lose(4401, "signed out");
    expect(first.states.at(-1)).toBe("closed");
    const third = await tab();
    expect(sockets).toHaveLength(2);
    last().hello();
    expect(third.states.at(-1)).toBe("catching-up");
    expect(first.states.at(-1)).toBe("closed");
  });
});
