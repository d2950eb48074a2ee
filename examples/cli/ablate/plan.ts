import { resolve } from "node:path";
import { files } from "../../../backends/host/files.ts";
import { failure, suggestion } from "../../../core/errors.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { number } from "../../../core/plugin/mod.ts";
import { isRecord } from "../../../core/plugin/spec.ts";
import { runFolder } from "../../../core/train/files/runFolder.ts";
import type { AblationTable, Budget, BudgetName, Ground } from "../../ablations/table.ts";
import { tables } from "../../ablations/tables.ts";
import type { Given } from "../command.ts";
import { readNumbers } from "../storedWeights.ts";
import { type Contest, contestOf, tableOn } from "./contest.ts";

/** What is run: enough to go on with it. Stored in its folder, see `Contest`. */
export interface Plan {
  readonly table: string;
  readonly dataset: string;
  readonly budget: BudgetName;
  readonly seeds: number;
  /** Samples that each row is judged by. */
  readonly samples: number;
  /** Pairs of noise and the teacher's sample, for rows with a regression loss. */
  readonly pairs: number;
  /** Short names of the rows that are run, in the order of the table. */
  readonly rows: readonly string[];
  /** `--set`s that are laid over every row. */
  readonly settings: readonly string[];
  /** Folder of the data set's files, whole. */
  readonly data?: string;
}

/** What the names of a plan stand for. */
export interface Named {
  readonly table: AblationTable;
  readonly ground: Ground;
  readonly budget: Budget;
}

export function namedIn({ table, dataset, budget }: Plan): Named {
  const named = tableOn(table, dataset);
  return { ...named, budget: named.ground.budgets[budget] };
}

const budgets: readonly BudgetName[] = ["quick", "full"];
const whole = { min: 1, integer: true };
/** Flags that are numbers, where the budget does not say otherwise. */
const numbersOf = ({ seeds, samples, pairs }: Budget) => ({
  seeds: number({ default: seeds, max: 100, ...whole, about: "seeds" }),
  n: number({ default: samples, max: 2 ** 31, ...whole, about: "samples that each row is judged by" }),
  pairs: number({ default: pairs, max: 2 ** 31, ...whole, about: "pairs of noise and the teacher's sample" }),
});

/** Where a table is made, and what it is: of the flags, and of the folder where it is to go on. */
export interface Planned {
  readonly plan: Plan;
  readonly out: string;
}

/**
 * Reads flags and, with `--resume`, the plan of the folder. Seeds and rows may then be others than before: they are added.
 * @throws E_USAGE, E_OPTION, E_RUN_EXISTS or E_CHECKPOINT
 */
export async function planOf(given: Given, contest: Contest): Promise<Planned> {
  if (given.on("resume")) return resumed(given, contest);
  const { only: table = given.positionals[0] } = contest;
  if (table === undefined)
    throw failure("E_USAGE", `Cannot run ablate: it needs a table, ${Object.keys(tables).join(" or ")}`);
  const plan = checked(contest, {
    table,
    dataset: given.text("dataset") ?? "gaussians",
    budget: given.text("budget") ?? "quick",
    settings: given.all("set"),
    data: given.text("data"),
    rows: given.text(contest.flag),
    numbers: given,
  });
  const out = given.text("out") ?? usual(plan.table, plan.dataset);
  if (await holdsResults(out))
    throw failure("E_RUN_EXISTS", `Cannot start ${contest.what} in ${out}: it already holds one`, {
      fix: "continue it with --resume, or choose another --out",
    });
  return { plan, out };
}

const usual = (table: string, dataset = "gaussians") => files.join("runs", `${table}-${dataset}`);

async function resumed(given: Given, contest: Contest): Promise<Planned> {
  const { flag, only: table = given.positionals[0], what } = contest;
  const out = given.text("out") ?? (table && usual(table, given.text("dataset")));
  if (out === undefined) throw failure("E_USAGE", `Cannot resume: there is no --out, expected the folder of ${what}`);
  const stored = await readPlan(out, contest);
  const refuse = (flags: string, why: string) =>
    failure("E_USAGE", `Cannot resume ${out} with ${flags}: ${why}`, {
      fix: "leave it out, or start another without --resume",
    });
  const fixed = { table, dataset: given.text("dataset"), budget: given.text("budget") };
  for (const [name, value] of Object.entries(fixed)) {
    const begun = stored[name as keyof typeof fixed];
    if (value !== undefined && value !== begun) throw refuse(`${name} ${value}`, `it was begun with ${begun}`);
  }
  for (const flag of ["set", "n", "pairs"])
    if (given.on(flag)) throw refuse(`--${flag}`, "all rows of a table are made and judged alike");
  const more = given.text(flag);
  const plan = checked(contest, {
    ...stored,
    ...(more !== undefined && { rows: [...stored.rows, more].join(",") }),
    data: given.text("data") ?? stored.data,
    numbers: given,
  });
  const kept = given.on("seeds") ? plan.seeds : stored.seeds;
  if (kept < stored.seeds) throw refuse(`--seeds ${kept}`, `it was begun with ${stored.seeds}`);
  return { plan: { ...plan, seeds: kept, samples: stored.samples, pairs: stored.pairs }, out };
}

/** What is wished for, its names unchecked. */
interface Wishes extends Pick<Plan, "table" | "dataset" | "settings" | "data"> {
  readonly budget: string;
  readonly rows?: string | readonly string[];
  /** The flags that are numbers. */
  readonly numbers: Given;
}

/** @throws E_USAGE that names what is not known, and what was meant; or E_OPTION */
function checked(
  { command, row, flag, datasets }: Contest,
  { table, dataset, budget, settings, data, rows, numbers: given }: Wishes,
): Plan {
  const known = (what: string, name: string, names: readonly string[]) => {
    if (names.includes(name)) return;
    const why = `it is not one of ${names.join(", ")}${suggestion(name, names)}`;
    throw failure("E_USAGE", `Cannot run the ${what} "${name}": ${why}`);
  };
  if (command === "ablate") known("table", table, Object.keys(tables));
  known("data set", dataset, datasets(table));
  known("budget", budget, budgets);
  const named = tableOn(table, dataset);
  const names = Object.keys(named.table.rows);
  const wanted = typeof rows === "string" ? rows.split(",").filter((name) => name !== "") : (rows ?? names);
  for (const name of wanted) known(row, name, names);
  if (wanted.length === 0) throw failure("E_USAGE", `Cannot run no ${flag}: expected some of ${names.join(", ")}`);
  const chosen = budget as BudgetName;
  const { seeds, n, pairs } = readNumbers(command, numbersOf(named.ground.budgets[chosen]), given);
  return {
    table,
    dataset,
    budget: chosen,
    seeds,
    samples: n,
    pairs,
    rows: names.filter((name) => wanted.includes(name)),
    settings,
    ...(data !== undefined && { data: resolve(data) }),
  };
}

/** Whether anything has been run in a folder. A plan whose first run could not start is nothing yet. */
async function holdsResults(out: string): Promise<boolean> {
  if (!(await files.exists(out))) return false;
  for (const name of await files.list(out))
    if (/^seed-\d+$/.test(name) && (await runFolder(files, files.join(out, name, "teacher")).holdsRun())) return true;
  return false;
}

/** What is stored beside the plan, so that a folder is known as ours. */
const programOf = ({ command }: Contest) => `onestep ${command}`;

export async function writePlan({ plan, out }: Planned): Promise<void> {
  const contest = contestOf(plan);
  const text = `${JSON.stringify({ program: programOf(contest), ...plan }, null, 2)}\n`;
  await files.makeDir(out);
  await files.write(files.join(out, contest.file), new TextEncoder().encode(text));
}

async function readPlan(out: string, contest: Contest): Promise<Plan> {
  const { file, what } = contest;
  const path = files.join(out, file);
  if (!(await files.exists(path)))
    throw failure("E_CHECKPOINT", `Cannot resume ${out}: it holds no ${what.replace(/^an? /, "")}`, {
      fix: "give the folder of one with --out, or start one without --resume",
    });
  const refuse = (why: string) =>
    failure("E_CHECKPOINT", `Cannot resume ${out}: ${file} ${why}`, {
      fix: "start again with another --out; what is trained stays in its folders",
    });
  let value: unknown;
  try {
    value = parseJson(new TextDecoder().decode(await files.read(path)));
  } catch (error) {
    throw refuse(`is damaged, ${(error as Error).message}`);
  }
  if (!isRecord(value) || value.program !== programOf(contest))
    throw refuse(`is not one that ${programOf(contest)} has written`);
  const { program: _, ...plan } = value;
  const strings = (list: unknown) => Array.isArray(list) && list.every((each) => typeof each === "string");
  const { table, dataset, budget, seeds, samples, pairs, rows, settings, data } = plan;
  const sound =
    strings([table, dataset, budget]) &&
    [seeds, samples, pairs].every((count) => Number.isInteger(count) && (count as number) > 0) &&
    strings(rows) &&
    strings(settings) &&
    (data === undefined || typeof data === "string");
  if (!sound) throw refuse("lacks what it should say");
  return plan as unknown as Plan;
}
