import { showNumber } from "../resultTable.ts";
import { type Html, html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";

/** A cell that stands out: `best` of its column, or `quoted` from elsewhere and not measured here. */
export interface MarkedCell {
  readonly value: string | number;
  readonly mark: "best" | "quoted";
}

/** A number is shown with the places that suit it; a text as it is; nothing leaves the cell empty. */
export type Cell = string | number | MarkedCell | undefined;

/** Rows below a heading. Columns whose cells are all numbers stand to the right. */
export interface TableSectionOptions extends SectionOptions {
  /** Names of the columns, with their units. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Sentences below the table, such as what a mark means. */
  readonly notes?: readonly string[];
}

/** A table with notes below, as a part of a page. */
export function tableSection({ title, about, columns, rows, notes = [] }: TableSectionOptions): Section {
  const numeric = columns.map((_, i) => rows.length > 0 && rows.every((row) => isNumeric(plain(row[i]))));
  const heading = columns.map((name, i) => html`<th scope="col"${classes(numeric[i] && "number")}>${name}</th>`);
  const lines = rows.map(
    (row) => html`<tr>${columns.map((_, i) => cell(row[i], numeric[i], i === 0))}</tr>
`,
  );
  // Reached by keyboard too, as it may have to be scrolled.
  const body = html`${about === undefined ? undefined : html`<p class="about">${about}</p>\n`}<div class="wide" tabindex="0" role="group" aria-label="${title}"><table>
<thead><tr>${heading}</tr></thead>
<tbody>
${lines}</tbody>
</table></div>
${noteList(notes)}`;
  return { title, body };
}

/** Sentences in small print. */
export const noteList = (notes: readonly string[]): Html | undefined =>
  notes.length > 0 ? html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>\n` : undefined;

const plain = (cell: Cell): string | number | undefined => (typeof cell === "object" ? cell.value : cell);

/** Also `12.3 ± 0.4`, `-` and an empty cell. */
const isNumeric = (value: string | number | undefined): boolean =>
  typeof value !== "string" || value === "-" || value.split("±").every((part) => Number.isFinite(Number(part.trim())));

const classes = (...names: readonly (string | false)[]): Html | undefined => {
  const given = names.filter((name) => name !== false);
  return given.length > 0 ? html` class="${given.join(" ")}"` : undefined;
};

function cell(given: Cell, numeric: boolean, first: boolean): Html {
  const value = plain(given);
  const text = typeof value === "number" ? shown(value) : value;
  const marks = classes(numeric && "number", typeof given === "object" && given.mark);
  return first && !numeric ? html`<th scope="row"${marks}>${text}</th>` : html`<td${marks}>${text}</td>`;
}

const shown = (value: number): string => (Number.isInteger(value) ? String(value) : showNumber(value));
