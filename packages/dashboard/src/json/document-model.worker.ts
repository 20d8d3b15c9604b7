import { answering, type WorkerRequest } from "./document-model.ts";

const answer = answering();

addEventListener("message", async ({ data }: MessageEvent<WorkerRequest>) => postMessage(await answer(data)));
