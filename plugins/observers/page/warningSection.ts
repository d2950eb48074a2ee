import type { HealthWarning } from "../../../core/train/mod.ts";
import { html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";

/** What to watch out for: warnings of a run's health, and others in words. */
export interface WarningSectionOptions extends Partial<SectionOptions> {
  readonly warnings: readonly HealthWarning[];
  readonly others?: readonly string[];
}

/** Health warnings, or that there are none, as a part of a page. */
export function warningSection(options: WarningSectionOptions): Section {
  const { title = "Warnings", about = "No monitor has found anything wrong.", warnings, others = [] } = options;
  const items = [
    ...warnings.map(
      ({ monitor, stage, step, steps, message, advice, severe }) =>
        html`<li${severe ? html` class="severe"` : undefined}><strong>${monitor}</strong>, ${stage} step ${step} of ${steps}: ${message}<br>${advice}</li>
`,
    ),
    ...others.map((each) => html`<li>${each}</li>\n`),
  ];
  return {
    title,
    body: items.length > 0 ? html`<ul class="warnings">\n${items}</ul>\n` : html`<p class="about">${about}</p>\n`,
  };
}
