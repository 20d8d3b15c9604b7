import { Flock } from "flock-ts";
import { ServerComponent, type ServerContext, WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";

describe("Component Properties", () => {
  it("has the specified name, priority and path, and no dependencies", () => {
    const component = new WebSocketServerComponent();
    expect([component.name, component.priority, component.path]).toEqual(["websocket", 7, "/plugin/ws"]);
    expect(component.getDependencies()).toEqual([]);
  });

  it("registers components by ascending priority, regardless of list order", async () => {
    await using flock = new Flock();
    const order: string[] = [];
    const recorder = (name: string, priority: number) =>
      new (class extends ServerComponent {
        override readonly name = name;
        override registerRoutes({ components }: ServerContext): void {
          if (components.has("websocket")) order.push(name);
        }
      })({ priority });
    await flock.serve({
      components: [recorder("after", 8), new WebSocketServerComponent(), recorder("before", 6)],
      port: 0,
    });
    expect(order).toEqual(["before", "after"]);
  });

  it("sends a close notice to every client and closes with 1001 on shutdown", async () => {
    await using flock = new Flock();
    const server = await flock.serve({ components: [new WebSocketServerComponent()], port: 0 });
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/plugin/ws`);
    const types: string[] = [];
    const closed = new Promise<number>((resolve) => {
      socket.onmessage = ({ data }) => types.push(JSON.parse(data).type);
      socket.onclose = ({ code }) => resolve(code);
    });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    await server.close();
    expect(await closed).toBe(1001);
    expect(types.at(-1)).toBe("goodbye");
  });
});
