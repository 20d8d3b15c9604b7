import { describeStore } from "../contract.ts";
import { memoryStore } from "./memory.ts";

describeStore("memory", memoryStore, { isDurable: false });
