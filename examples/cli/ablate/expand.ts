import { mergeConfig, type Registry } from "../../../core/plugin/mod.ts";
import { type RunConfig, resolveConfig } from "../../../core/train/mod.ts";
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

/**
 * The configs of every row, checked: the preset, what the table and the budget change in it, what the row changes, and the
 * `--set`s.
 * @throws OptionError or MissingPluginError
 */
export async function expand(plan: Plan, registry: Registry): Promise<Expansion> {
  const { table, ground, budget } = namedIn(plan);
  const { metrics: _, ...preset } = await presets[ground.preset].config();
  const common = [table.base[plan.dataset], { train: { evaluateCount: SHOWN } }, budget.over];
  const resolved = (over: readonly object[]) => {
    const config = [...common, ...over].reduce<RunConfig>(mergeConfig, preset);
    return resolveConfig(layOver(config, plan.settings, {}), registry).config;
  };
  const rows = plan.rows.map((name) => [name, resolved(table.rows[name].over)] as const);
  return { teacher: resolved([]), rows: Object.fromEntries(rows) };
}

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

/** A row's config with what it shares. */
export function rowOf(config: RunConfig, { seed, teacher, pairs }: Shared): RunConfig {
  const own = {
    train: { seed },
    start: { teacher },
    method: { teacher: { steps: 0 } },
    ...(needsPairs(config) && { losses: { regression: { pairs } } }),
  };
  return mergeConfig(config, own);
}
