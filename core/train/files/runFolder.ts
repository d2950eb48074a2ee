import type { DeviceInfo } from "../../interfaces/backend.ts";
import { type Claim, type FileSystem, isDraft } from "../../io/files.ts";
import type { TensorSource } from "../../io/safetensorsFile.ts";
import { parseJson } from "../../json/parseJson.ts";
import { isRecord } from "../../plugin/spec.ts";
import type { RunConfig } from "../config/config.ts";
import type { HealthWarning } from "../health/warnings.ts";
import type { Judgement } from "../sampling/evaluation.ts";
import { type BestOf, readWeightsInfo, type WeightsInfo, writeWeights } from "./weightsFile.ts";

/** The files of a run. */
export interface RunFolder {
  readonly path: string;
  /** The resolved config. */
  readonly config: string;
  /** Folder of the training states. */
  readonly checkpoint: string;
  /** One event per line, as JSON. */
  readonly events: string;
  /** Folder of the sample grids. */
  readonly samples: string;
  readonly lossPlot: string;
  /** All there is to see of the run, in one HTML file. */
  readonly page: string;
  weights(role: string): string;
  /** Name of the same file in the folder. */
  weightsName(role: string): string;
  /** Name of the file, in the folder, of a role's best weights, where the run keeps such. */
  bestName(role: string): string;
  /** Whether there is anything that has a place in a run's folder: a run's own files, or weights of these roles. */
  holdsRun(roles?: readonly string[]): Promise<boolean>;
  /** Whether what it holds is recognisably a run of onestep, by the mark or by a complete config, as 0.1.0 left it. */
  isOurs(): Promise<boolean>;
  /** Whether the run in it has made nothing yet: no checkpoint, weights or pictures; so it can begin anew without loss. */
  isFresh(): Promise<boolean>;
  /** Makes the folder and takes it for this process, where the file system can; `undefined` where it can't. */
  claim(): Promise<Claim | undefined>;
  /** Removes what killed writers left. Only for who has claimed the folder. */
  clearDrafts(): Promise<void>;
  /** Removes the folder if nothing is in it. */
  leave(): Promise<void>;
  /** The folder that the run has its data from, where it was noted. */
  dataPath(): Promise<string | undefined>;
  /** Clears what an earlier run of these roles left, leaves all other files, and writes the config; notes where the data are. */
  begin(config: RunConfig, roles: readonly string[], data?: string): Promise<void>;
  /** Replaces the config, for a run that goes on with another: what is in the folder defines what comes next. Marks the folder. */
  writeConfig(config: RunConfig, data?: string): Promise<void>;
  /** With a label: the weights of an average that is not served, in a folder of their own. */
  writeWeights(tensors: readonly TensorSource[], info: WeightsInfo, label?: string): Promise<void>;
  /** The same beside the last weights of the role. */
  writeBest(tensors: readonly TensorSource[], info: WeightsInfo): Promise<void>;
  /** What the best weights of a role are the best of; undefined where there are none. */
  bestOf(role: string): Promise<(BestOf & { readonly stage: string }) | undefined>;
  writeReport(report: RunReport): Promise<void>;
}

/** What became of a run: `report.json`. */
export interface RunReport {
  readonly device: DeviceInfo;
  readonly judgements: readonly Judgement[];
  readonly warnings: readonly HealthWarning[];
  /** Updates that were left out because they were not finite, by role. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** How often the run has gone back to a checkpoint with half the learning rates. */
  readonly rollbacks: number;
  /** The weights that were kept as the best while the run went on, by role; see `train.keepBest`. */
  readonly best?: Readonly<Record<string, BestOf>>;
}

const text = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** What `run.json` says, besides where the data are. */
const MARK = { program: "onestep", format: 2 };
/** What the observers `csv` and `tensorboard` write. */
const NUMBERS = ["scalars.csv", "events.out.tfevents.onestep"];
/** Names of a run's files. */
const OWN = ["config.json", "events.jsonl", "losses.svg", "report.json", "report.html", ...NUMBERS];
/** Names of what a run puts into folders, so that other files there stay. */
const BELOW: Readonly<Record<string, RegExp>> = {
  checkpoint: /\.(safetensors|msgpack)$/,
  samples: /-\d+\.png$/,
  averages: /\.safetensors$/,
};

/** The layout of a run's folder; touches nothing until asked to. */
export function runFolder(files: FileSystem, path: string): RunFolder {
  const at = (...names: string[]) => files.join(path, ...names);
  const mark = at("run.json");
  const configFile = at("config.json");
  const averages = at("averages");
  const weights = (role: string) => `${role}.safetensors`;
  const bestName = (role: string) => weights(`${role}-best`);
  const best = (role: string) => at(bestName(role));
  const namesIn = async (folder: string) => ((await files.exists(folder)) ? files.list(folder) : []);
  const clearDrafts = async () => {
    for (const folder of [path, ...Object.keys(BELOW).map((name) => at(name))])
      for (const name of await namesIn(folder)) if (isDraft(name)) await files.remove(files.join(folder, name));
  };
  const read = async (file: string): Promise<unknown> => {
    if (!(await files.exists(file))) return undefined;
    try {
      return parseJson(new TextDecoder().decode(await files.read(file)));
    } catch {
      return undefined;
    }
  };
  const writeMark = (data: string | undefined) => files.write(mark, text({ ...MARK, data }));
  const dataPath = async () => {
    const marked = await read(mark);
    return isRecord(marked) && typeof marked.data === "string" ? marked.data : undefined;
  };
  const writeConfig = async (config: RunConfig, data?: string) => {
    if (!(await files.exists(mark)) || (data !== undefined && data !== (await dataPath()))) await writeMark(data);
    await files.write(configFile, text(config));
  };
  const present = async (names: readonly string[]) => {
    for (const name of names) if (await files.exists(at(name))) return true;
    return false;
  };
  /** Whether a folder below has files; with `own`, such as a run puts there. */
  const isUsed = async (own: boolean) => {
    for (const [folder, names] of Object.entries(BELOW))
      if ((await namesIn(at(folder))).some((name) => !isDraft(name) && (!own || names.test(name)))) return true;
    return false;
  };
  const removeIfEmpty = async (folder: string) => {
    if ((await files.exists(folder)) && (await files.list(folder)).length === 0) await files.remove(folder);
  };

  return {
    path,
    config: configFile,
    checkpoint: at("checkpoint"),
    events: at("events.jsonl"),
    samples: at("samples"),
    lossPlot: at("losses.svg"),
    page: at("report.html"),
    weights: (role) => at(weights(role)),
    weightsName: weights,
    bestName,
    async holdsRun(roles = []) {
      return (await present([...OWN, ...roles.map(weights)])) || (await isUsed(false));
    },
    async isOurs() {
      const marked = await read(mark);
      return (isRecord(marked) && marked.program === MARK.program) || isComplete(await read(configFile));
    },
    async isFresh() {
      const stored = (await namesIn(path)).some((name) => name.endsWith(".safetensors"));
      return !stored && !(await present(["losses.svg", "report.json"])) && !(await isUsed(true));
    },
    async claim() {
      await files.makeDir(path);
      return files.claim?.(at("run.lock"));
    },
    clearDrafts,
    leave: () => removeIfEmpty(path),
    dataPath,
    async begin(config, roles, data) {
      // In an order that leaves no mixture of two runs: the mark tells whose files these are, and without a config there is no run.
      await writeMark(data);
      await clearDrafts();
      for (const name of [...OWN, ...roles.map(weights), ...roles.map(bestName)]) await files.remove(at(name));
      for (const [folder, own] of Object.entries(BELOW)) {
        for (const name of await namesIn(at(folder)))
          if (own.test(name) || isDraft(name)) await files.remove(at(folder, name));
        await removeIfEmpty(at(folder));
      }
      await files.makeDir(at("samples"));
      await writeConfig(config);
    },
    writeConfig,
    async writeWeights(tensors, info, label) {
      if (label === undefined) return writeWeights(files, at(weights(info.role)), tensors, info);
      await files.makeDir(averages);
      return writeWeights(files, files.join(averages, weights(`${info.role}-${label}`)), tensors, info);
    },
    writeBest: (tensors, info) => writeWeights(files, best(info.role), tensors, info),
    async bestOf(role) {
      if (!(await files.exists(best(role)))) return undefined;
      const info = await readWeightsInfo(files, best(role));
      return info.best && info.stage !== undefined ? { ...info.best, stage: info.stage } : undefined;
    },
    writeReport: (report) => files.write(at("report.json"), text(report)),
  };
}

/** Whether a config is one that a run has completed, not one that a user has written for it. */
function isComplete(config: unknown): boolean {
  const used = (section: unknown) => isRecord(section) && typeof section.use === "string";
  if (!isRecord(config) || !used(config.dataset) || !used(config.network) || !isRecord(config.train)) return false;
  const { train } = config;
  return ["seed", "steps", "batch", "logEvery", "evaluateCount"].every((name) => typeof train[name] === "number");
}
