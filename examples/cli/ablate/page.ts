import { showNumber, table } from "../../../plugins/observers/mod.ts";
import type { Better } from "../../ablations/table.ts";
import type { AblationResult, Held, Line, Spread } from "./result.ts";

const ARROWS: Readonly<Record<Better, string>> = { lower: "↓", higher: "↑" };

/** `Table 3 on mnist, budget quick, 1 seed`, and that it is not finished where it is not. */
export function titleOf({ plan, finished, ended, parts }: AblationResult): string {
  const name = plan.table.replace(/^table(\d+)$/, "Table $1").replace(/^a/, "A");
  const whole = `${name} on ${plan.dataset}, budget ${plan.budget}, ${plan.seeds} seed${plan.seeds > 1 ? "s" : ""}`;
  return finished ? whole : `${whole}: NOT FINISHED, ${ended} of ${parts} parts have ended`;
}

/** The table's cells: its head, the teacher, the rows. */
export function cellsOf({ columns, quoted, teacher, rows, costs }: AblationResult): string[][] {
  const head = [
    "",
    "calls",
    ...Object.entries(columns).map(([name, better]) => `${name} ${ARROWS[better]}`),
    ...(costs ? COSTS : []),
    ...Object.entries(quoted).map(([name, { better }]) => `${name} ${ARROWS[better]} (quoted)`),
  ];
  const line = (each: Line) => [
    each.name,
    each.nfe === undefined ? "" : String(each.nfe),
    ...Object.keys(columns).map((name, place) => cellOf(each, name, place === 0)),
    ...(costs ? costCells(each) : []),
    ...Object.keys(quoted).map((name) => (each.quoted[name] === undefined ? "" : String(each.quoted[name]))),
  ];
  return [head, line(teacher), ...rows.map(line)];
}

const COSTS = ["passes (M)", "minutes", "MiB"];

const costCells = ({ cost }: Line): string[] =>
  cost
    ? [cost.passes / 1e6, cost.minutes, cost.bytes / 2 ** 20].map((each) => each.toFixed(each < 10 ? 2 : 1))
    : COSTS.map(() => "");

/** What the columns of costs count. */
const COSTS_TEXT =
  "passes: all that updates compute, in millions of calls of the network on one sample, without the teacher's own training and pairs that are drawn before; minutes: of these updates on this machine; MiB: the most that lives on the device.";

/** Below the table: where the quoted numbers are from, and what is not to be compared. */
export const notesOf = (result: AblationResult): string[] => [
  quotedText(result),
  NOT_COMPARABLE,
  ...(result.costs ? [COSTS_TEXT] : []),
];

/** A number with its spread; the first of a line says what lacks. */
function cellOf({ judged, diverged, seeds, finished, numbers }: Line, name: string, first: boolean): string {
  const told = numbers[name] ? spreadText(numbers[name]) : "";
  if (!first) return told;
  const notes = [
    ...(diverged > 0 ? [diverged === seeds ? "diverged" : `${diverged} of ${seeds} seeds diverged`] : []),
    ...(finished ? [] : [judged + diverged === 0 ? "not run" : `${judged + diverged} of ${seeds} seeds`]),
  ];
  if (notes.length === 0) return told;
  return told === "" ? notes.join(", ") : `${told} (${notes.join(", ")})`;
}

const spreadText = ({ mean, deviation }: Spread): string =>
  deviation === undefined ? showNumber(mean) : `${showNumber(mean)} ± ${showNumber(deviation)}`;

/** What came of the paper's claims, as cells. */
export function claimCells({ claims }: AblationResult): string[][] {
  const two = (numbers: Held["ours"]) => (numbers ? numbers.map(showNumber).join(" against ") : "");
  return [
    ["the paper's claim", "quoted", "here", "shows here"],
    ...claims.map(({ says, column, number, theirs, ours, verdict }) => [
      says,
      `${column} ${theirs.join(" against ")}`,
      ours ? `${number} ${two(ours)}` : "",
      verdict,
    ]),
  ];
}

/** Where the quoted numbers are from. */
const quotedText = ({ source, quoted }: AblationResult): string =>
  `Quoted: ${Object.entries(quoted)
    .map(([name, { about }]) => `${name}: ${about}`)
    .join("; ")}. ${source}.`;

const NOT_COMPARABLE =
  "Numbers of one line are of different data and metrics: compare their order from row to row, not their size.";

/** For a terminal. */
export const textOf = (result: AblationResult): string =>
  [titleOf(result), table(cellsOf(result)), ...(hasClaims(result) ? ["", table(claimCells(result))] : [])].join("\n");

/** Whether the paper says anything of these rows that could be held against ours. */
export const hasClaims = ({ claims }: AblationResult): boolean => claims.length > 0;

const markdownTable = ([head, ...rows]: readonly (readonly string[])[], left: number): string[] => {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, place) => (place < left ? "---" : "--:"))), ...rows.map(line)];
};

/** As a page in Markdown, with where every number is from. */
export function markdownOf(result: AblationResult, command: string): string {
  const { protocol } = result;
  return `${[
    `# ${titleOf(result)}`,
    "",
    ...markdownTable(cellsOf(result), 1),
    "",
    ...notesOf(result),
    "",
    ...(hasClaims(result) ? [...markdownTable(claimCells(result), 4), ""] : []),
    "```sh",
    command,
    "```",
    ...(protocol
      ? ["", "Protocol of every number that is not quoted:", "", "```json", JSON.stringify(protocol), "```"]
      : []),
  ].join("\n")}\n`;
}
