import type { DeviceInfo } from "../../interfaces/backend.ts";
import type { RoleName } from "../../interfaces/role.ts";
import type { FileSystem } from "../../io/files.ts";
import type { RunConfig } from "../config/config.ts";
import type { Judgement } from "../sampling/evaluation.ts";

/** The files of a run. */
export interface RunFolder {
  readonly path: string;
  /** The resolved config. */
  readonly config: string;
  /** Folder of the training state. */
  readonly checkpoint: string;
  /** One event a line, as JSON. */
  readonly events: string;
  /** Folder of the sample grids. */
  readonly samples: string;
  readonly lossPlot: string;
  weights(role: RoleName): string;
  /** Whether there is anything that `begin` would remove. */
  holdsRun(): Promise<boolean>;
  /** Clears what an earlier run left and writes the config. */
  begin(config: RunConfig): Promise<void>;
  /** Replaces the config, for a run that goes on with another: what is in the folder defines what comes next. */
  writeConfig(config: RunConfig): Promise<void>;
  /** With a label those of an average that is not served, in a folder of their own. */
  writeWeights(role: RoleName, bytes: Uint8Array, label?: string): Promise<void>;
  writeReport(judgements: readonly Judgement[], device: DeviceInfo): Promise<void>;
}

const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** The layout of a run's folder; touches nothing until asked to. */
export function runFolder(files: FileSystem, path: string): RunFolder {
  const at = (...names: string[]) => files.join(path, ...names);
  const own = ["config.json", "events.jsonl", "checkpoint", "samples", "losses.svg", "report.json"];
  const weights = (role: string) => `${role}.safetensors`;
  const averages = at("averages");
  const all = [...own, "averages", ...["teacher", "generator", "critic"].map(weights)];
  const writeConfig = (config: RunConfig) => files.write(at("config.json"), text(config));
  return {
    path,
    config: at("config.json"),
    checkpoint: at("checkpoint"),
    events: at("events.jsonl"),
    samples: at("samples"),
    lossPlot: at("losses.svg"),
    weights: (role) => at(weights(role)),
    async holdsRun() {
      for (const name of all) if (await files.exists(at(name))) return true;
      return false;
    },
    async begin(config) {
      await files.makeDir(path);
      for (const name of all) await files.remove(at(name));
      await files.makeDir(at("samples"));
      await writeConfig(config);
    },
    writeConfig,
    async writeWeights(role, bytes, label) {
      if (label === undefined) return files.write(at(weights(role)), bytes);
      await files.makeDir(averages);
      return files.write(files.join(averages, weights(`${role}-${label}`)), bytes);
    },
    writeReport: (judgements, device) =>
      files.write(at("report.json"), text({ device, judgements })),
  };
}
