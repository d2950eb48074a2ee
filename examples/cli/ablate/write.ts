import { files } from "../../../backends/host/files.ts";
import { rowPlot } from "../../../plugins/observers/mod.ts";
import { contestOf } from "./contest.ts";
import { markdownOf, titleOf } from "./page.ts";
import { outcomeOf, partAt } from "./parts.ts";
import { namedIn, type Plan, type Planned } from "./plan.ts";
import { reportOf } from "./report.ts";
import { type AblationResult, type Outcome, resultOf } from "./result.ts";

/** Writes the table as it is: Markdown, JSON, a plot of our numbers beside the paper's, and a page of all that. */
export async function writeTable({ plan, out }: Planned): Promise<AblationResult> {
  const outcomes: Record<string, Outcome[]> = {};
  for (const name of ["teacher", ...plan.rows]) {
    outcomes[name] = [];
    for (let seed = 0; seed < plan.seeds; seed++) outcomes[name].push(await outcomeOf(partAt(out, seed, name)));
  }
  const result = resultOf(plan, outcomes);
  const write = (ending: string, text: string) =>
    files.write(files.join(out, `${plan.table}.${ending}`), new TextEncoder().encode(text));
  const { finished, ...rest } = result;
  // At the head, so that it is not overlooked.
  await write("json", `${JSON.stringify({ finished, ...rest }, null, 2)}\n`);
  const [command, plot] = [commandOf(plan), await plotOf(result)];
  await write("md", markdownOf(result, command));
  await write("svg", plot);
  await write("html", await reportOf(result, out, command, plot));
  return result;
}

/** The command line that makes the table. */
export function commandOf(plan: Plan): string {
  const { table, dataset, budget, seeds, samples, pairs, rows, settings, data } = plan;
  const usual = namedIn(plan);
  const { command, flag, only } = contestOf(plan);
  const words = [`onestep ${command}`, ...(only === undefined ? [table] : []), "--dataset", dataset];
  if (data !== undefined) words.push("--data DIR");
  words.push("--budget", budget);
  if (seeds !== usual.budget.seeds) words.push("--seeds", `${seeds}`);
  if (rows.length < Object.keys(usual.table.rows).length) words.push(`--${flag}`, rows.join(","));
  if (samples !== usual.budget.samples) words.push("--n", `${samples}`);
  if (pairs !== usual.budget.pairs) words.push("--pairs", `${pairs}`);
  for (const setting of settings) words.push("--set", setting);
  return words.join(" ");
}

function plotOf(result: AblationResult): Promise<string> {
  const { columns, quoted, rows, source } = result;
  const [number] = Object.keys(columns);
  const [column] = Object.keys(quoted);
  return rowPlot(
    rows.map(({ name }) => name),
    [
      {
        label: `${number} on ${result.plan.dataset}`,
        values: rows.map(({ numbers }) => numbers[number]?.values ?? []),
        colour: "#0072b2",
      },
      {
        label: `${column}, quoted`,
        values: rows.map((row) => (row.quoted[column] === undefined ? [] : [row.quoted[column]])),
        colour: "#d55e00",
      },
    ],
    {
      title: titleOf(result),
      notes: [`quoted: ${quoted[column].about}; ${source}`, "the two scales have nothing in common"],
    },
  );
}
