import { mergeConfig, type Registry } from "../../../core/plugin/mod.ts";
import { type RunConfig, resolveConfig } from "../../../core/train/mod.ts";
import type { AblationRow } from "../../ablations/table.ts";
import { layOver } from "../configFile.ts";
import { presets } from "../presets.ts";
import { namedIn, type Plan } from "./plan.ts";

/** The configs of a table, complete. */
export interface Expansion {
  /** Trains the teacher that all rows of a seed start from. */
  readonly teacher: RunConfig;
  /** By short name. */
  readonly rows: Readonly<Record<string, RunConfig>>;
}

/** Samples that a run itself draws, for its pictures: rows are judged together, when they have ended. */
const SHOWN = 100;

/** Stand for what a row shares, while it is checked. */
const PLACES: Shared = { seed: 0, teacher: "teacher.safetensors", pairs: "pairs.safetensors" };

/**
 * The configs of every row, checked: the preset, what the table and the budget change in it, what the row changes, and the
 * `--set`s.
 * @throws OptionError or MissingPluginError
 */
export async function expand(plan: Plan, registry: Registry): Promise<Expansion> {
  const { table, ground, budget } = namedIn(plan);
  const usual = presets[ground.preset].config;
  const common = [table.base[plan.dataset], { train: { evaluateCount: SHOWN } }, budget.over];
  const resolved = async ({ config: load = usual, over }: Pick<AblationRow, "config" | "over">) => {
    const { metrics: _, ...start } = await load();
    const config = [...common, ...over].reduce<RunConfig>(mergeConfig, start);
    return resolveConfig(layOver(config, plan.settings, {}), registry).config;
  };
  const teacher = await resolved({ over: [] });
  const rows: [string, RunConfig][] = [];
  for (const name of plan.rows) {
    const config = await resolved(table.rows[name]);
    resolveConfig(rowOf({ teacher, rows: {} }, config, PLACES), registry);
    rows.push([name, config]);
  }
  return { teacher, rows: Object.fromEntries(rows) };
}

/** Whether a row can start from the teacher of the others: its data, network and noise process are the same. */
export const sharesTeacher = ({ teacher }: Expansion, row: RunConfig): boolean =>
  (["dataset", "network", "teacher", "process"] as const).every(
    (part) => JSON.stringify(row[part]) === JSON.stringify(teacher[part]),
  );

/** What the rows of a seed share. */
export interface Shared {
  readonly seed: number;
  /** Files. */
  readonly teacher: string;
  readonly pairs: string;
}

/** A run that ends with the teacher. */
export const teacherOf = ({ teacher }: Expansion, { seed }: Shared): RunConfig =>
  mergeConfig(teacher, { train: { seed, steps: 0 } });

/** Whether rows need pairs of the teacher. */
export const needsPairs = (config: RunConfig): boolean => config.losses.regression !== undefined;

/** A row's config with what it shares. One with another kind of teacher trains it itself. */
export function rowOf(expansion: Expansion, config: RunConfig, { seed, teacher, pairs }: Shared): RunConfig {
  const own = {
    train: { seed },
    ...(sharesTeacher(expansion, config) && { start: { teacher }, method: { teacher: { steps: 0 } } }),
    ...(needsPairs(config) && { losses: { regression: { pairs } } }),
  };
  return mergeConfig(config, own);
}
