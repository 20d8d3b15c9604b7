import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A cable between a client and a server, which can be cut, and through which so much can be let as one wants. */
export interface Cable extends AsyncDisposable {
  /** The server's address by way of the cable. */
  readonly url: string;
  /** Breaks every connection, and lets none be made. */
  cut(): void;
  /** Lets connections be made again. */
  mend(): void;
  /** Lets so many bytes of each connection come from the server, from here on, and holds the rest back. */
  throttle(bytes: number): void;
  /** Lets everything pass again, what was held back included. */
  release(): void;
}

/** Lays a cable to a server on the loopback. */
export async function layCable(to: string): Promise<Cable> {
  const { port } = new URL(to);
  const pairs = new Set<{ near: Socket; far: Socket; left: number }>();
  let isCut = false;
  let limit = Number.POSITIVE_INFINITY;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), "127.0.0.1");
    const pair = { near, far, left: limit };
    pairs.add(pair);
    near.pipe(far);
    far.on("data", (data) => {
      const passed = data.subarray(0, Math.max(0, pair.left));
      near.write(passed);
      pair.left -= passed.length;
      if (pair.left > 0) return;
      far.pause();
      if (passed.length < data.length) far.unshift(data.subarray(passed.length));
    });
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const destroyAll = () => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      destroyAll();
    },
    mend() {
      isCut = false;
    },
    throttle(bytes) {
      limit = bytes;
      for (const pair of pairs) pair.left = bytes;
    },
    release() {
      limit = Number.POSITIVE_INFINITY;
      for (const pair of pairs) {
        pair.left = limit;
        pair.far.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      destroyAll();
      server.close();
      await once(server, "close");
    },
  };
}
