import { type Html, html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";

/** Settings by name; records in them are shown with their path, `train.seed`. */
export interface SettingsSectionOptions extends SectionOptions {
  readonly values: Readonly<Record<string, unknown>>;
  /** Shows each group closed, for what only some readers want. Default false. */
  readonly folded?: boolean;
}

/** Settings by name, as a part of a page. */
export function settingsSection({ title, about, values, folded = false }: SettingsSectionOptions): Section {
  const groups = Object.entries(values).map(([name, value]) => [name, linesOf(value, name)] as const);
  const shown = groups.filter(([, lines]) => lines.length > 0);
  const body = folded
    ? shown.map(
        ([name, lines]) => html`<details><summary>${name}</summary>
${listed(lines)}</details>
`,
      )
    : listed(shown.flatMap(([, lines]) => lines));
  return { title, body: html`${about === undefined ? undefined : html`<p class="about">${about}</p>\n`}${body}` };
}

type Line = readonly [path: string, value: string];

const listed = (lines: readonly Line[]): Html => html`<div class="wide"><table class="settings"><tbody>
${lines.map(
  ([path, value]) => html`<tr><th scope="row"><code>${path}</code></th><td><code>${value}</code></td></tr>
`,
)}</tbody></table></div>
`;

function linesOf(value: unknown, path: string): Line[] {
  if (value === undefined) return [];
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isRecord ? Object.entries(value) : [];
  if (entries.length > 0) return entries.flatMap(([name, each]) => linesOf(each, `${path}.${name}`));
  return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
}
