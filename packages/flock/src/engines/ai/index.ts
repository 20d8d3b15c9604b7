/**
 * Language models for agents, on the AI SDK (package `ai`).
 *
 * @packageDocumentation
 */

export { type OfflineModel, type OfflineModelOptions, offlineModel } from "../offline/offline-model.ts";
export { type AskOptions, ask } from "./ask.ts";
export { resolveModel } from "./resolve-model.ts";
