import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/** Returns an axe run over a page. Legacy mode saves the extra page per run that only iframes need. */
export function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode(true);
}

/** Runs all default rules of axe. Returns each violated rule with its first element. */
export async function violationsOf(page: Page, within?: string): Promise<string[]> {
  return summaries(await resultsOf(page, within));
}

/** Runs all default rules of axe. Returns each rule with a serious or critical violation and its first element. */
export async function seriousViolationsOf(page: Page, within?: string): Promise<string[]> {
  const violations = await resultsOf(page, within);
  return summaries(violations.filter(({ impact }) => impact === "serious" || impact === "critical"));
}

type Violations = Awaited<ReturnType<AxeBuilder["analyze"]>>["violations"];

async function resultsOf(page: Page, within?: string): Promise<Violations> {
  const { violations } = await (within === undefined ? axe(page) : axe(page).include(within)).analyze();
  return violations;
}

function summaries(violations: Violations): string[] {
  return violations.map(({ id, nodes: [first] }) => `${id} ${first?.html}`);
}
