import type { Observer } from "../../core/interfaces/mod.ts";
import type { HealthEased, HealthWarning } from "../../core/train/mod.ts";
import { IncidentCounts } from "./incidents.ts";

/** A warning as a line: which monitor, where, what it sees, what to do. */
export const warningLine = ({ monitor, stage, step, steps, message, advice }: HealthWarning): string =>
  `health (${monitor}), ${stage} step ${step} of ${steps}: ${message}; ${advice}`;

/** Warnings with the time for which they held, a line each. */
export function warningLines(warnings: readonly HealthWarning[], eased: readonly HealthEased[]): string[] {
  return warnings.map((warning) => {
    const end = eased.find(
      ({ monitor, stage, since }) => monitor === warning.monitor && stage === warning.stage && since === warning.step,
    );
    return `${warningLine(warning)}${end ? `; until step ${end.step}` : ""}`;
  });
}

/** Writes each warning when it comes; with `severe`, only those of runs whose work is likely lost. */
export function healthWarnings(write: (line: string) => void, { severe = false } = {}): Observer {
  return {
    name: "health-warnings",
    observe(bus) {
      bus.on("health/warned", (warning) => {
        if (warning.severe || !severe) write(warningLine(warning));
      });
    },
  };
}

/**
 * Prints all warnings of a run again when it has ended, beside its results, how many updates were left out, and how often the run
 * went back. A warning that comes again after that is one.
 */
export function healthTable(print: (text: string) => void): Observer {
  const warnings = new Map<string, HealthWarning>();
  const eased: HealthEased[] = [];
  const counts = new IncidentCounts();
  return {
    name: "health-table",
    observe(bus) {
      bus.on("health/warned", (warning) => {
        warnings.set(`${warning.monitor} ${warning.stage} ${warning.step}`, warning);
      });
      bus.on("health/eased", (each) => void eased.push(each));
      bus.on("role/left-out", (update) => counts.leftOut(update));
      bus.on("run/rolled-back", (back) => counts.rolledBack(back));
      bus.on("run/end", () => {
        const lines = [...warningLines([...warnings.values()], eased), ...counts.lines()];
        if (lines.length > 0) print(lines.join("\n"));
      });
    },
  };
}
