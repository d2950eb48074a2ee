import { failure } from "../../../core/errors.ts";
import { INTERVAL, numberNames } from "../../../plugins/observers/mod.ts";
import { deviation, mean } from "../../ablations/spread.ts";
import type { Better, Claim } from "../../ablations/table.ts";
import { differences, type Protocol, type Report } from "../evaluate/protocol.ts";
import type { Cost } from "./cost.ts";
import { namedIn, type Plan } from "./plan.ts";

/** How far a row is with a seed: judged, not finite in the end, or not yet there. */
export type Outcome =
  | { readonly is: "judged"; readonly report: Report; readonly cost?: Cost }
  | { readonly is: "diverged" }
  | { readonly is: "missing" };

/** A number over the seeds that have it. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation over the seeds; with one seed half the interval that its judge gives, where it gives one. */
  readonly deviation?: number;
  /** In the order of the seeds that have it. */
  readonly values: readonly number[];
}

/** One line of the table. */
export interface Line {
  readonly row: string;
  readonly name: string;
  readonly seeds: number;
  readonly judged: number;
  readonly diverged: number;
  /** Whether every seed has ended, well or not. */
  readonly finished: boolean;
  /** Denoiser calls per sample, once it is known. */
  readonly nfe?: number;
  readonly numbers: Readonly<Record<string, Spread>>;
  /** Means over the seeds; in tables that tell costs. */
  readonly cost?: Cost;
  /** The paper's. */
  readonly quoted: Readonly<Record<string, number>>;
}

/** What came of a claim: it holds here, it does not, the difference is within the larger spread of the two, or not all is run. */
export type Verdict = "yes" | "no" | "within the spread" | "not run";

/** A claim of the paper beside our numbers; those of the better row first. */
export interface Held extends Claim {
  readonly column: string;
  readonly number: string;
  readonly theirs: readonly [number, number];
  readonly ours?: readonly [number, number];
  readonly verdict: Verdict;
}

/** The whole table. */
export interface AblationResult {
  readonly plan: Plan;
  readonly source: string;
  readonly finished: boolean;
  /** Parts that have ended, of all: each row and the teacher with each seed. */
  readonly ended: number;
  readonly parts: number;
  readonly columns: Readonly<Record<string, Better>>;
  readonly quoted: Readonly<Record<string, { readonly about: string; readonly better: Better }>>;
  /** The teacher, which is no row of the paper. */
  readonly teacher: Line;
  readonly rows: readonly Line[];
  readonly claims: readonly Held[];
  /** Whether the table tells costs. */
  readonly costs?: true;
  /** Of every number, without who was drawn. */
  readonly protocol?: Protocol;
}

/** Outcomes by row, one per seed in order; the teacher's under `teacher`. */
export type Outcomes = Readonly<Record<string, readonly Outcome[]>>;

/** Puts outcomes together. @throws E_CONFIG where numbers were made by different protocols */
export function resultOf(plan: Plan, outcomes: Outcomes): AblationResult {
  const { table, ground } = namedIn(plan);
  const protocol = protocolOf(outcomes);
  const teacher = lineOf("teacher", "the teacher", {}, outcomes.teacher);
  const rows = plan.rows.map((row) => {
    const { name, quoted } = table.rows[row];
    return lineOf(row, name, quoted, outcomes[row]);
  });
  const lines = [teacher, ...rows];
  const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0);
  const claims = table.claims.flatMap((claim) => held(claim, plan, rows));
  return {
    plan,
    source: table.source,
    finished: lines.every(({ finished }) => finished),
    ended: sum(({ judged, diverged }) => judged + diverged),
    parts: sum(({ seeds }) => seeds),
    columns: ground.columns,
    quoted: table.quoted,
    teacher,
    rows,
    claims,
    ...(table.costs && { costs: table.costs }),
    ...(protocol && { protocol }),
  };
}

function lineOf(row: string, name: string, quoted: Line["quoted"], outcomes: readonly Outcome[]): Line {
  const judged = outcomes.flatMap((outcome) => (outcome.is === "judged" ? [outcome] : []));
  const reports = judged.map(({ report }) => report);
  const costs = judged.flatMap(({ cost }) => (cost ? [cost] : []));
  const meanOf = (of: keyof Cost) => mean(costs.map((cost) => cost[of]));
  const diverged = outcomes.filter(({ is }) => is === "diverged").length;
  const names = numberNames(reports.map(({ metrics }) => metrics));
  const numbers = names.map((each): [string, Spread] => {
    const values = reports.map(({ metrics }) => metrics[each]);
    const spread = values.length > 1 ? deviation(values) : reports[0].metrics[each + INTERVAL];
    return [each, { mean: mean(values), ...(spread !== undefined && { deviation: spread }), values }];
  });
  const nfe = reports[0]?.protocol.drawn?.nfe;
  return {
    row,
    name,
    seeds: outcomes.length,
    judged: reports.length,
    diverged,
    finished: outcomes.every(({ is }) => is !== "missing"),
    ...(typeof nfe === "number" && { nfe }),
    numbers: Object.fromEntries(numbers),
    ...(costs.length > 0 && {
      cost: { passes: meanOf("passes"), minutes: meanOf("minutes"), bytes: meanOf("bytes") },
    }),
    quoted,
  };
}

/** Claims about rows that are not run, or about what is not measured here, are left out. */
function held(claim: Claim, plan: Plan, rows: readonly Line[]): Held[] {
  const { table, ground } = namedIn(plan);
  const [better, worse] = [claim.better, claim.worse].map((name) => rows.find(({ row }) => row === name));
  const column = claim.quoted ?? Object.keys(table.quoted)[0];
  if (!better || !worse || !Object.hasOwn(ground.standsFor, column)) return [];
  const number = ground.standsFor[column];
  const [a, b] = [better.numbers[number], worse.numbers[number]];
  const common = {
    ...claim,
    column,
    number,
    theirs: [better.quoted[column], worse.quoted[column]] as const,
    ...(a && b && { ours: [a.mean, b.mean] as const }),
  };
  return [{ ...common, verdict: verdictOf(better, worse, number, ground.columns[number]) }];
}

function verdictOf(better: Line, worse: Line, number: string, way: Better): Verdict {
  if (!better.finished || !worse.finished) return "not run";
  // What has diverged is worse than any number.
  if (better.diverged > 0 || worse.diverged > 0) return worse.diverged > better.diverged ? "yes" : "no";
  const [a, b] = [better.numbers[number], worse.numbers[number]];
  const gap = way === "lower" ? b.mean - a.mean : a.mean - b.mean;
  if (Math.abs(gap) < Math.max(a.deviation ?? 0, b.deviation ?? 0)) return "within the spread";
  return gap > 0 ? "yes" : "no";
}

/** The one protocol of all numbers, but for whose samples were drawn and at what cost. */
function protocolOf(outcomes: Outcomes): Protocol | undefined {
  const reports = Object.values(outcomes)
    .flat()
    .flatMap((outcome) => (outcome.is === "judged" ? [outcome.report] : []));
  const [first] = reports;
  if (!first) return undefined;
  const common = ({ drawn = {}, ...rest }: Protocol): Protocol => ({ drawn: { seed: drawn.seed }, ...rest });
  for (const { samples, protocol } of reports) {
    const apart = differences(common(first.protocol), common(protocol));
    if (apart.length > 0)
      throw failure(
        "E_CONFIG",
        `Cannot put ${first.samples} and ${samples} into one table: their protocols differ in ${apart.join("; ")}`,
        { fix: "remove the evaluation.json of one of them and go on with --resume, which judges it again" },
      );
  }
  return common(first.protocol);
}
