import type { DeviceInfo } from "../../interfaces/backend.ts";
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
  /** One event per line, as JSON. */
  readonly events: string;
  /** Folder of the sample grids. */
  readonly samples: string;
  readonly lossPlot: string;
  weights(role: string): string;
  /** Whether there is anything that `begin` would remove: a run's own files, or weights of these roles. */
  holdsRun(roles?: readonly string[]): Promise<boolean>;
  /** Clears what an earlier run of these roles left and writes the config. */
  begin(config: RunConfig, roles: readonly string[]): Promise<void>;
  /** Replaces the config, for a run that goes on with another: what is in the folder defines what comes next. */
  writeConfig(config: RunConfig): Promise<void>;
  /** With a label: the weights of an average that is not served, in a folder of their own. */
  writeWeights(role: string, bytes: Uint8Array, label?: string): Promise<void>;
  writeReport(judgements: readonly Judgement[], device: DeviceInfo): Promise<void>;
}

const text = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** The layout of a run's folder; touches nothing until asked to. */
export function runFolder(files: FileSystem, path: string): RunFolder {
  const at = (...names: string[]) => files.join(path, ...names);
  const own = ["config.json", "events.jsonl", "checkpoint", "samples", "losses.svg", "report.json", "averages"];
  const weights = (role: string) => `${role}.safetensors`;
  const averages = at("averages");
  const writeConfig = (config: RunConfig) => files.write(at("config.json"), text(config));
  return {
    path,
    config: at("config.json"),
    checkpoint: at("checkpoint"),
    events: at("events.jsonl"),
    samples: at("samples"),
    lossPlot: at("losses.svg"),
    weights: (role) => at(weights(role)),
    async holdsRun(roles = []) {
      for (const name of [...own, ...roles.map(weights)]) if (await files.exists(at(name))) return true;
      return false;
    },
    async begin(config, roles) {
      await files.makeDir(path);
      for (const name of [...own, ...roles.map(weights)]) await files.remove(at(name));
      await files.makeDir(at("samples"));
      await writeConfig(config);
    },
    writeConfig,
    async writeWeights(role, bytes, label) {
      if (label === undefined) return files.write(at(weights(role)), bytes);
      await files.makeDir(averages);
      return files.write(files.join(averages, weights(`${role}-${label}`)), bytes);
    },
    writeReport: (judgements, device) => files.write(at("report.json"), text({ device, judgements })),
  };
}
