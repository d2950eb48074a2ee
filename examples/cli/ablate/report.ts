import { files } from "../../../backends/host/files.ts";
import {
  Html,
  html,
  htmlPage,
  type Section,
  settingsSection,
  tableSection,
  textSection,
} from "../../../plugins/observers/mod.ts";
import { version } from "../version.ts";
import { cellsOf, claimCells, hasClaims, notesOf, titleOf } from "./page.ts";
import { type Part, partAt } from "./parts.ts";
import type { AblationResult } from "./result.ts";

/** The samples of a part: those of the noise that all share, else the last that its run has shown. */
async function shownOf({ folder: { samples }, picture }: Part): Promise<{ file: string; what: string } | undefined> {
  if (await files.exists(picture)) return { file: picture, what: ", on the noise of all rows" };
  if (!(await files.exists(samples))) return undefined;
  const step = (name: string) => Number(name.match(/^generator-(\d+)\.png$/)?.[1] ?? -1);
  const [last] = (await files.list(samples)).sort((a, b) => step(b) - step(a));
  if (last === undefined || step(last) < 0) return undefined;
  const what = `, step ${step(last)}: real data, the teacher and the generator on the same noise`;
  return { file: files.join(samples, last), what };
}

/** The table with plot, samples and protocol as one HTML file. */
export async function reportOf(result: AblationResult, out: string, command: string, plot: string): Promise<string> {
  const { source, protocol, plan } = result;
  const quoted = cellsOf(result)[0].length - Object.keys(result.quoted).length;
  const [columns, ...rows] = cellsOf(result);
  const [claimColumns, ...claims] = claimCells(result);
  const marked = (cells: readonly string[]) =>
    cells.map((value, place) => (place >= quoted && value !== "" ? { value, mark: "quoted" as const } : value));
  return htmlPage({
    title: titleOf(result),
    about: source,
    sections: [
      tableSection({
        title: "Table",
        columns,
        rows: rows.map(marked),
        notes: notesOf(result),
      }),
      ...(hasClaims(result)
        ? [tableSection({ title: "The paper's claims", columns: claimColumns, rows: claims })]
        : []),
      { title: "Rows", body: html`<figure>${new Html(plot)}</figure>` },
      await samplesSection(result, out),
      textSection({ title: "Command", commands: [command] }),
      settingsSection({ title: "Protocol of every number that is not quoted", values: { ...protocol } }),
    ],
    footer: `onestep ${version()}, folder ${out}, data ${plan.data ?? "made by the program"}`,
  });
}

/** A picture of each row with its first seed. */
async function samplesSection({ rows, plan, teacher, costs }: AblationResult, out: string): Promise<Section> {
  const figures: Html[] = [];
  for (const { row, name, judged } of costs ? [teacher, ...rows] : rows) {
    const shown = judged > 0 ? await shownOf(partAt(out, 0, row)) : undefined;
    if (shown === undefined) continue;
    const picture = Buffer.from(await files.read(shown.file)).toString("base64");
    const caption = `${name}, seed 0${shown.what}`;
    figures.push(html`<figure class="group"><img src="data:image/png;base64,${picture}" style="max-width: 100%" alt="${caption}">
<figcaption>${caption}</figcaption></figure>
`);
  }
  const none = html`<p class="about">No row of ${plan.table} has ended yet.</p>`;
  return { title: "Samples", body: figures.length > 0 ? html`<div class="groups">${figures}</div>` : none };
}
