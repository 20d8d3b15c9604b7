import { FlockClientError } from "@flock-ts/client";
import { DirectFeed } from "./direct-feed.ts";
import type { ToTab, ToWorker } from "./feed.ts";

/** The part of a shared worker's scope that we use: TypeScript knows pages only. */
declare const self: {
  onconnect: ((event: MessageEvent) => void) | null;
};

/** One connection for all tabs; it lives as long as any of them does. */
let feed: DirectFeed | undefined;

self.onconnect = ({ ports }) => {
  const port = ports[0] as MessagePort;
  const tell = (message: ToTab) => port.postMessage(message);
  let stop = () => {};
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.type === "join") {
      feed ??= new DirectFeed(data.url);
      stop = feed.watch((state) => tell({ type: "connection", state }));
      return;
    }
    if (data.type === "leave") {
      stop();
      port.close();
      return;
    }
    if (!feed) return;
    if (data.type === "next") {
      void feed.next(data.from, data.isCurrent).then((stretch) => tell({ type: "stretch", stretch }));
    } else if (data.type === "retry") feed.retryNow();
    else {
      feed.call(data.name, data.request as never).then(
        (result) => tell({ type: "answer", id: data.id, result }),
        (error) => {
          const { code, message, issues } =
            error instanceof FlockClientError ? error : { code: "internal", message: String(error), issues: [] };
          tell({ type: "refusal", id: data.id, error: { code, message, issues } as never });
        },
      );
    }
  };
};
