import { FlockClientError } from "@flock-ts/client";
import { NameInterner } from "../timeline/name-interner.ts";
import { DirectFeed } from "./direct-feed.ts";
import type { ToTab, ToWorker } from "./feed.ts";

/** The part of a shared worker's scope that is used here. The project's types are those of a page. */
declare const self: {
  onconnect: ((event: MessageEvent) => void) | null;
};

/** One connection for all tabs. It lives as long as any of them. A tab that joins after it has closed opens another one. */
let shared: DirectFeed | undefined;

self.onconnect = ({ ports }) => {
  const port = ports[0] as MessagePort;
  const post = (message: ToTab) => port.postMessage(message);
  let feed: DirectFeed | undefined;
  let stop = () => {};
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.type === "join") {
      if (!shared || shared.isClosed) shared = new DirectFeed(data.url, new NameInterner());
      feed = shared;
      stop = feed.watch((state) => post({ type: "connection", state }));
      return;
    }
    if (data.type === "leave") {
      stop();
      port.close();
      return;
    }
    if (!feed) return;
    if (data.type === "next") {
      void feed.next(data.from, data.isCurrent).then((chunk) => post({ type: "chunk", chunk }));
    } else if (data.type === "retry") feed.retryNow();
    else {
      feed.call(data.name, data.request as never).then(
        (result) => post({ type: "answer", id: data.id, result }),
        (error) => {
          const { code, message, issues } =
            error instanceof FlockClientError ? error : { code: "internal", message: String(error), issues: [] };
          post({ type: "refusal", id: data.id, error: { code, message, issues } as never });
        },
      );
    }
  };
};
