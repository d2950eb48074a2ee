/** How far the thresholds of monitors stand from what good runs reach. */
import { Container } from "../../core/di/mod.ts";
import { OnestepError } from "../../core/errors.ts";
import { MONITORS, type Reading } from "../../core/interfaces/mod.ts";
import type { AnyPlugin } from "../../core/plugin/mod.ts";
import { Watchers } from "../../core/train/mod.ts";

/** A threshold, and the value of it at which good runs begin to be warned of. */
export interface Band {
  readonly monitor: string;
  readonly option: string;
  readonly threshold: number;
  readonly reached: number;
  /** Their ratio, from 1 on. */
  readonly margin: number;
}

/** By monitor, the options that are thresholds: 1 where a higher one warns of more, -1 where a lower one does. */
const THRESHOLDS: Readonly<Record<string, Readonly<Record<string, 1 | -1>>>> = {
  brightness: { shift: -1, low: 1, high: -1, after: -1 },
  collapse: { least: 1, fall: 1, after: -1 },
  "critic-lag": { growth: -1 },
  discriminator: { least: 1 },
  gradients: { growth: -1 },
  losses: { growth: -1 },
  oscillation: { most: -1 },
  saturation: { most: -1 },
  weights: { jump: -1 },
};
/** Steps in which a threshold is moved, and how far at most. */
const [STEP, FARTHEST] = [1.02, 30];

/** Whether a monitor with such options warns of one of the runs. */
function warns(plugin: AnyPlugin, options: Readonly<Record<string, number>>, runs: readonly (readonly Reading[])[]) {
  const container = new Container();
  plugin.configure(options).install(container);
  const monitors = container.all(MONITORS);
  return runs.some((readings) => {
    const watchers = new Watchers(monitors);
    return readings.some((reading) => watchers.take(reading).warnings.length > 0);
  });
}

/** Moves each threshold towards good runs, until one of them is warned of. */
export function bandsOf(plugins: readonly AnyPlugin[], runs: readonly (readonly Reading[])[]): Band[] {
  return plugins.flatMap((plugin) => {
    const { name } = plugin.definition;
    const defaults = plugin.configure({}).options as Readonly<Record<string, number>>;
    return Object.entries(THRESHOLDS[name] ?? {}).map(([option, sign]) => {
      const threshold = defaults[option];
      let margin = 1;
      const moved = () => threshold * margin ** sign;
      while (margin < FARTHEST && !beyondRange(() => warns(plugin, { [option]: moved() }, runs))) margin *= STEP;
      return { monitor: name, option, threshold, reached: moved(), margin };
    });
  });
}

/** Whether something is so, or the option can't take such a value. */
function beyondRange(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    if (error instanceof OnestepError && error.code === "E_OPTION") return true;
    throw error;
  }
}
