import { html, useState, type VNode } from "./preact.ts";
import type { PageRun } from "./store.ts";

/** The settings of the runs: of several, first those in which they differ. */
export function Settings({ runs }: { readonly runs: readonly PageRun[] }): VNode | undefined {
  const [sought, seek] = useState("");
  const configs = runs.map(({ config = {} }) => new Map(lines(config, "")));
  const paths = [...new Set(configs.flatMap((each) => [...each.keys()]))];
  if (paths.length === 0) return undefined;
  const row = (path: string) => ({ path, values: configs.map((each) => each.get(path) ?? "–") });
  const rows = paths
    .map(row)
    .filter(({ path, values }) => `${path} ${values.join(" ")}`.toLowerCase().includes(sought.toLowerCase()));
  const differ = rows.filter(({ values }) => new Set(values).size > 1);
  const same = rows.filter(({ values }) => new Set(values).size === 1);
  const several = runs.length > 1;
  const table = (
    each: typeof rows,
    names: readonly string[],
    label: string,
  ) => html`<div class="wide" tabindex="0" role="group" aria-label=${label}><table class="settings">
    ${names.length > 1 && html`<thead><tr><th scope="col">setting</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>`}
    <tbody>${each.map(({ path, values }) => html`<tr><th scope="row"><code>${path}</code></th>${values.slice(0, names.length).map((value) => html`<td><code>${value}</code></td>`)}</tr>`)}</tbody></table></div>`;
  return html`<section aria-labelledby="settings"><div class="heading"><h2 id="settings">Settings</h2>
      <input type="search" placeholder="find a setting" aria-label="Find a setting" value=${sought} onInput=${(event: Event) => seek((event.target as HTMLInputElement).value)} /></div>
    ${several && html`<h3>${differ.length === 0 ? "No difference" : `Different: ${differ.length} of ${paths.length}`}</h3>`}
    ${
      several &&
      differ.length > 0 &&
      table(
        differ,
        runs.map(({ name }) => name),
        "Settings that differ",
      )
    }
    <details open=${sought !== ""}><summary>${several ? `The same in all: ${same.length}` : `All ${same.length}: with the same device and version, they repeat the run`}</summary>
      ${table(several ? same : rows, [""], "Settings")}</details></section>`;
}

/** Settings by their path, `train.seed`. */
function lines(value: unknown, path: string): [string, string][] {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isRecord ? Object.entries(value) : [];
  if (entries.length > 0)
    return entries.flatMap(([name, inner]) => lines(inner, path === "" ? name : `${path}.${name}`));
  return path === "" ? [] : [[path, typeof value === "string" ? value : JSON.stringify(value)]];
}
