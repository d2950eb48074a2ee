/** Leads the readings of a run that is over, or still going on, past the monitors. */
import { Container } from "../../../core/di/mod.ts";
import { MONITORS, type Monitor } from "../../../core/interfaces/mod.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import { isRecord } from "../../../core/plugin/spec.ts";
import { type HealthEased, type HealthWarning, Watchers } from "../../../core/train/mod.ts";
import type { History, Session } from "./readHistory.ts";

/** The monitors of a config: all that are registered, with its options. One that its options no longer fit has its defaults. */
export function monitorsOf({ config }: Pick<History, "config">, registry: Registry): readonly Monitor[] {
  const given = isRecord(config.monitors) ? config.monitors : {};
  const container = new Container();
  for (const plugin of registry.list("monitor")) {
    const own = given[plugin.definition.name];
    if (own === false) continue;
    const { use: _, ...options } = isRecord(own) ? own : {};
    configured(
      () => plugin.configure(options),
      () => plugin.configure({}),
    ).install(container);
  }
  return container.all(MONITORS);
}

/** Names of monitors that the run had, and that are not registered here. */
export function missingMonitors({ config }: Pick<History, "config">, registry: Registry): string[] {
  const given = isRecord(config.monitors) ? Object.entries(config.monitors) : [];
  return given.filter(([name, options]) => options !== false && !registry.has("monitor", name)).map(([name]) => name);
}

function configured<T>(first: () => T, second: () => T): T {
  try {
    return first();
  } catch {
    return second();
  }
}

/** What monitors say of a session: of its readings, or where it has none, of its losses. */
export function healthOf({ readings, losses }: Session, monitors: readonly Monitor[]) {
  const watchers = new Watchers(monitors);
  // One that comes again after the run has gone back is one.
  const warnings = new Map<string, HealthWarning>();
  const eased: HealthEased[] = [];
  for (const reading of readings.length > 0 ? readings : losses) {
    const changes = watchers.take(reading);
    for (const each of changes.warnings) warnings.set(`${each.monitor} ${each.stage} ${each.step}`, each);
    eased.push(...changes.eased);
  }
  return { warnings: [...warnings.values()], eased };
}
