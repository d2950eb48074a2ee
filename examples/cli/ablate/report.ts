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
import { cellsOf, claimCells, NOT_COMPARABLE, quotedText, titleOf } from "./page.ts";
import { partAt } from "./parts.ts";
import type { AblationResult } from "./result.ts";

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
        notes: [quotedText(result), NOT_COMPARABLE],
      }),
      tableSection({ title: "The paper's claims", columns: claimColumns, rows: claims }),
      { title: "Rows", body: html`<figure>${new Html(plot)}</figure>` },
      await samplesSection(result, out),
      textSection({ title: "Command", commands: [command] }),
      settingsSection({ title: "Protocol of every number that is not quoted", values: { ...protocol } }),
    ],
    footer: `onestep ${version()}, folder ${out}, data ${plan.data ?? "made by the program"}`,
  });
}

/** The last picture of each row with its first seed: real data, the teacher and the generator. */
async function samplesSection({ rows, plan }: AblationResult, out: string): Promise<Section> {
  const figures: Html[] = [];
  for (const { row, name, judged } of rows) {
    const { samples } = partAt(out, 0, row).folder;
    if (judged === 0 || !(await files.exists(samples))) continue;
    const step = (picture: string) => Number(picture.match(/^generator-(\d+)\.png$/)?.[1] ?? -1);
    const [last] = (await files.list(samples)).sort((a, b) => step(b) - step(a));
    if (last === undefined || step(last) < 0) continue;
    const picture = Buffer.from(await files.read(files.join(samples, last))).toString("base64");
    const caption = `${name}, seed 0, step ${step(last)}: real data, the teacher and the generator on the same noise`;
    figures.push(html`<figure class="group"><img src="data:image/png;base64,${picture}" style="max-width: 100%" alt="${caption}">
<figcaption>${caption}</figcaption></figure>
`);
  }
  const none = html`<p class="about">No row of ${plan.table} has ended yet.</p>`;
  return { title: "Samples", body: figures.length > 0 ? html`<div class="groups">${figures}</div>` : none };
}
