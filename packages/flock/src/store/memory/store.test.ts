import { describeStore } from "../contract.ts";
import { memoryStore } from "./store.ts";

describeStore("memory", memoryStore, { isDurable: false });
