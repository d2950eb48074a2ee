import type { Observer } from "../../core/interfaces/mod.ts";
import type { HealthEased, HealthWarning } from "../../core/train/mod.ts";

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

/** Prints all warnings of a run again when it has ended, beside its results. */
export function healthTable(print: (text: string) => void): Observer {
  const warnings: HealthWarning[] = [];
  const eased: HealthEased[] = [];
  return {
    name: "health-table",
    observe(bus) {
      bus.on("health/warned", (warning) => void warnings.push(warning));
      bus.on("health/eased", (each) => void eased.push(each));
      bus.on("run/end", () => {
        if (warnings.length > 0) print(warningLines(warnings, eased).join("\n"));
      });
    },
  };
}
