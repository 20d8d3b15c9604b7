import { suite as agents } from "./agents.ts";
import { suite as cohorts } from "./cohorts.ts";
import { suite as compression } from "./compression.ts";
import { suite as dashboard } from "./dashboard.ts";
import { suite as fairness } from "./fairness.ts";
import { suite as fanout } from "./fanout.ts";
import { suite as idle } from "./idle.ts";
import { suite as latency } from "./latency.ts";
import { suite as matching } from "./matching.ts";
import { suite as publish } from "./publish.ts";
import { suite as resume } from "./resume.ts";
import { suite as stalled } from "./stalled.ts";
import { suite as storm } from "./storm.ts";
import type { Suite } from "./suite.ts";

/** All suites in the order in which they run. */
export const SUITES: readonly Suite[] = [
  fanout,
  latency,
  idle,
  storm,
  stalled,
  resume,
  cohorts,
  fairness,
  compression,
  publish,
  matching,
  agents,
  dashboard,
];
