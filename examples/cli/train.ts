import { resolve } from "node:path";
import { files } from "../../backends/host/files.ts";
import { onInterrupt } from "../../backends/host/interrupt.ts";
import { memoryLeft } from "../../backends/host/limits.ts";
import { offloading } from "../../backends/host/offload.ts";
import { runCache } from "../../backends/host/runCache.ts";
import { failure, suggestion } from "../../core/errors.ts";
import type { Backend, Observer } from "../../core/interfaces/mod.ts";
import { type Registry, readSetting } from "../../core/plugin/mod.ts";
import { SettingText, saysNothing } from "../../core/plugin/spec.ts";
import {
  CHECKPOINT,
  mergeConfig,
  type Ranks,
  type ResolvedConfig,
  Run,
  type RunConfig,
  resolveConfig,
  runFolder,
  SAMPLES,
} from "../../core/train/mod.ts";
import {
  diagnosisTable,
  eventLog,
  healthTable,
  healthWarnings,
  lastSamples,
  lossCurves,
  progress,
  type RunPageOptions,
  realSamples,
  resultTable,
  runPage,
  sampleGrids,
  workProgress,
} from "../../plugins/observers/mod.ts";
import { type Profile, profileLines, profiles } from "../../plugins/profiles/mod.ts";
import { references } from "../presets/bands/mod.ts";
import { commandName } from "./asStarted.ts";
import type { Given } from "./command.ts";
import { findConfig, layOver, type NamedConfig, readConfig } from "./configFile.ts";
import { describeBackend, openBackend, tuning } from "./device.ts";
import { INTERRUPTED } from "./exitStatus.ts";
import { fitConfig } from "./fitConfig.ts";
import { CONFIG } from "./flags.ts";
import { openWeights, withModel } from "./model.ts";
import { asRank, checkDevices, coresHere, dividedEngine, onStopSignal, ranksLine } from "./ranks.ts";
import { ofStored, registryFor, unusedLines } from "./registry.ts";
import { sameFlags } from "./sameFlags.ts";
import type { PageBeside } from "./ui/beside.ts";
import { version } from "./version.ts";

/** Flags that are short for a `--set`. */
const short = {
  steps: "train.steps",
  "teacher-steps": "method.teacher.steps",
  seed: "train.seed",
  teacher: "start.teacher",
};

export const run = (given: Given): Promise<number> => asRank((ranks) => train(given, ranks));

async function train(given: Given, ranks: Ranks): Promise<number> {
  const model = modelPath(given);
  const resumed = given.on("resume") ? await ranks.led(() => start(given)) : undefined;
  const asked = await ranks.together(async () => ask(given, resumed ?? (await start(given)), model));
  return trainRun(given, asked, ranks);
}

/** What the words of the command come to. */
async function ask(given: Given, named: NamedConfig, model: string | undefined): Promise<Asked> {
  const settings = Object.entries(short).map(([flag, path]) => [path, given.text(flag)]);
  const profile = profileOf(given);
  const settled = (config: RunConfig) => {
    const base = profile ? mergeConfig(config, profile.config) : config;
    return withWholePaths(layOver(base, settingsOf(given), Object.fromEntries(settings)));
  };
  const registry = await registryFor(named.config, given.all("plugin"));
  const modelled = await withModel(named, model, registry);
  const wanted = await fitConfig(modelled, settled, registry, given.text("data"));
  if (profile) checkProfile(profile, wanted);
  const checked = () => resolveConfig(wanted, registry);
  const resolved = given.on("resume") ? ofStored(checked) : checked();
  if (profile && !given.on("quiet")) process.stderr.write(`${profileLines(profile, resolved.config).join("\n")}\n`);
  if (!given.on("quiet")) for (const line of unusedLines(registry, resolved)) process.stderr.write(`${line}\n`);
  return { resolved, registry, path: await folderOf(given, named.name) };
}

/** A config whose files are found from any working directory: those of `start`, and safetensors files elsewhere in it. */
function withWholePaths(config: RunConfig): RunConfig {
  const isFile = ([section, ...names]: readonly string[], text: string) =>
    names.length > 0 && (section === "start" || text.endsWith(".safetensors"));
  const whole = (value: unknown, path: readonly string[]): unknown => {
    if (value instanceof SettingText) {
      const { text } = value;
      return isFile(path, text) && !saysNothing(text) ? new SettingText(resolve(text), value.replaces) : value;
    }
    if (typeof value === "string") return isFile(path, value) && value !== "" ? resolve(value) : value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, whole(inner, [...path, name])]));
  };
  return whole(config, []) as RunConfig;
}

/** The folder of the results: --out, or runs/<name>; where that holds a run, a new one goes to runs/<name>-2 and so on. */
async function folderOf(given: Given, name: string): Promise<string> {
  const usual = files.join("runs", name);
  const out = given.text("out");
  if (out !== undefined || given.on("resume") || given.on("force")) return out ?? usual;
  let path = usual;
  for (let n = 2; await runFolder(files, path).holdsRun(); n++) path = `${usual}-${n}`;
  if (path !== usual)
    process.stderr.write(
      `note: ${usual} holds a run, this one goes to ${path}; --resume goes on with the first, --force replaces it\n`,
    );
  return path;
}

/** The `--set`s. A teacher with weights is not trained, whatever a preset says, unless this command line does. */
function settingsOf(given: Given): readonly string[] {
  const settings = given.all("set");
  // Without a file the teacher is trained, as the config says.
  const isFile = (text: string) => !saysNothing(text);
  const file = given.text("teacher");
  const taught =
    (file !== undefined && isFile(file)) ||
    settings.map(readSetting).some(([name, text]) => name === "start.teacher" && isFile(text));
  if (given.on("teacher") && given.on("resume"))
    throw failure("E_USAGE", "Cannot change the start of a run: --teacher or --resume");
  return taught && !given.on("resume") ? ["method.teacher.steps=0", ...settings] : settings;
}

/** The model that is distilled. A run that goes on has its weights. @throws E_USAGE */
function modelPath(given: Given): string | undefined {
  const model = given.text("model");
  if (model !== undefined && given.on("resume"))
    throw failure("E_USAGE", "Cannot change the model of a run: --model or --resume");
  if (model !== undefined && given.on("teacher"))
    throw failure("E_USAGE", "Cannot start the teacher twice: --model or --teacher");
  return model;
}

/** The profile to lay over the config. A run that goes on has its own settings. */
function profileOf(given: Given): Profile | undefined {
  const name = given.text("profile");
  if (name === undefined) return undefined;
  if (given.on("resume")) throw failure("E_USAGE", "Cannot change the profile of a run: --profile or --resume");
  const names = Object.keys(profiles);
  if (!Object.hasOwn(profiles, name))
    throw failure(
      "E_USAGE",
      `Cannot use profile "${name}": it is not one of ${names.join(", ")}${suggestion(name, names)}`,
    );
  return profiles[name];
}

/** @throws E_USAGE where the config has another method than the profile's, before an option of it is refused */
function checkProfile({ name, method }: Profile, config: RunConfig): void {
  const { use } = JSON.parse(JSON.stringify(config.method ?? {})) as { use?: unknown };
  if (use !== undefined && use !== method)
    throw failure("E_USAGE", `Cannot use profile ${name}: it is for the method ${method}, the config has ${use}`, {
      fix: "leave --profile out, or choose a config of that method",
    });
}

/** The config to begin with: a preset's, a file's, or that of the run to go on with. */
async function start(given: Given): Promise<NamedConfig> {
  const [wanted] = given.positionals;
  if (given.on("resume") && given.on("force"))
    throw failure("E_USAGE", "Cannot both go on with a run and replace it: --resume or --force");
  if (wanted === undefined && !given.on("resume"))
    throw failure("E_USAGE", `Cannot run train: it needs ${CONFIG}`, {
      fix: "`onestep train --help` lists the presets",
    });
  const found = wanted === undefined ? undefined : await findConfig(wanted, files);
  if (!given.on("resume")) return found!;
  const path = given.text("out") ?? (found && files.join("runs", found.name));
  if (path === undefined) throw failure("E_USAGE", "Cannot resume: there is no --out, expected the folder of a run");
  const folder = runFolder(files, path);
  if (!(await folder.holdsRun()))
    throw failure("E_CHECKPOINT", `Cannot resume ${path}: it holds no run`, {
      fix: "give the folder of a run with --out, or start one without --resume",
    });
  if (!(await files.exists(folder.config)))
    throw failure("E_CHECKPOINT", `Cannot resume ${path}: it has no config.json, a run should have one`, {
      fix: "start the run again with --force, or give the folder of another one",
    });
  // Its config is complete: the data it was fitted to may have changed.
  return { name: found?.name ?? path, config: await readConfig(folder.config, files) };
}

/** A config, checked, and the plugins it was checked with. */
interface Asked {
  readonly resolved: ResolvedConfig;
  readonly registry: Registry;
  /** The folder of the run. */
  readonly path: string;
}

async function trainRun(given: Given, { resolved, registry, path }: Asked, ranks: Ranks): Promise<number> {
  const say = (text: string) => void (given.on("quiet") || process.stderr.write(`${text}\n`));
  const existing = given.on("resume") ? "resume" : given.on("force") ? "replace" : undefined;
  const { collective, place } = ranks;
  const engine = () => dividedEngine(tuning(given, given.on("quiet")), collective, coresHere());
  const open = () => openBackend(given.text("device"), engine());
  let run: Run | undefined;
  // Into the log too, as soon as there is one.
  const warn = (message: string) => (run ? run.bus.emit("run/warning", { source: "worker", message }) : say(message));
  const reading = given.on("quiet") ? undefined : workProgress(process.stderr, "files");
  let watch: (() => void) | undefined;
  /** A run that is too large says what would fit. A run that goes on keeps its numbers, and few of them could be changed. */
  const told = async (error: unknown) => {
    if (existing === "resume") throw error;
    const { advisedRun } = await import("./plan/advice.ts");
    const request = { config: resolved.config, registry, device: backend, capacity: backend.capacity, path: data };
    throw await advisedRun(error, request);
  };
  const data = await ranks.led(() => dataPath(given, path));
  // Both at once, and before anything is written: the port may be refused, which is told when it is asked for below.
  const opening = ranks.leads ? openPage(given, path, (why) => warn(why)) : undefined;
  opening?.catch(() => {});
  let page: PageBeside | undefined;
  let backend: Backend;
  try {
    backend = await ranks.together(open);
  } catch (error) {
    await (await opening?.catch(() => undefined))?.close();
    throw error;
  }
  try {
    page = await ranks.together(async () => opening);
    if (page) process.stderr.write(`ui      ${page.address}\n`);
    say(`device  ${describeBackend(backend)}`);
    await checkDevices(ranks, backend);
    const line = ranksLine(ranks, resolved.settings);
    if (line) say(line);
    run = await Run.create({
      resolved,
      backend,
      data: {
        files,
        path: data,
        offload: offloading({ tell: warn }),
        progress: (done, total) => reading?.tell("reading files", done, total),
        found: (text) => say(`data    ${text}`),
      },
      openWeights,
      cache: runCache(version()),
      memory: memoryLeft(process),
      output: { files, path, existing },
      collective,
      place,
      version: version(),
      async reopen() {
        await backend.close();
        backend = await open();
        return backend;
      },
    }).catch(told);
    reading?.close();
    // Until here there is nothing to keep, and a signal ends the program wherever it is: no listener has to be waited for.
    const stop = onInterrupt(() => {
      process.stderr.write("\nstopping after this step; press Ctrl-C again to give up at once\n");
      run?.stop();
    });
    const signalled = onStopSignal(ranks, () => run?.stop());
    watch = () => [stop, signalled].forEach((end) => void end());
    const shown = ranks.leads ? await observe(run, given, existing === "resume") : undefined;
    page?.onCommand((command) => run?.send(command));
    say(`folder  ${path}`);
    const { reason } = await run.start().finally(() => shown && writePage(run!, given, shown, say));
    if (reason === "stopped") {
      say(`stopped; go on with: ${commandName()} train --resume --out ${path}${sameFlags(given, "train")}`);
      return INTERRUPTED;
    }
    say(`done; draw samples with: ${commandName()} sample ${path}${sameFlags(given, "sample")}`);
    return 0;
  } finally {
    reading?.close();
    watch?.();
    await run?.dispose();
    await backend.close();
    await page?.close();
  }
}

/** The page of --ui; undefined without it. That it is refused may be heard of later. */
function openPage(given: Given, path: string, lost: (why: string) => void): Promise<PageBeside | undefined> {
  const port = given.text("ui");
  if (port === undefined) return Promise.resolve(undefined);
  const opening = import("./ui/beside.ts").then(({ pageBeside }) => pageBeside(path, port, lost));
  opening.catch(() => {});
  return opening;
}

/** The data folder: --data, or the one that the run to go on with has its data from. Whole, to be found from anywhere. */
async function dataPath(given: Given, path: string): Promise<string | undefined> {
  const told = given.text("data");
  if (told !== undefined) return resolve(told);
  return given.on("resume") ? runFolder(files, path).dataPath() : undefined;
}

/** What --quiet does not silence: work may be lost. */
const lossWarnings: Observer = {
  name: "loss-warnings",
  observe(bus) {
    bus.on("run/warning", ({ source, message }) => {
      if (source === CHECKPOINT) process.stderr.write(`warning (${source}): ${message}\n`);
    });
  },
};

/** Nor does it silence these: what is trained from then on is likely of no use. */
const severeWarnings = healthWarnings((line) => process.stderr.write(`${line}\n`), { severe: true });

/** What the page of a run is made of, besides its log. */
type ForPage = Pick<RunPageOptions, "real" | "captions"> & Pick<ReturnType<typeof lastSamples>, "sets">;

async function observe(run: Run, given: Given, resumed: boolean): Promise<ForPage> {
  const folder = run.folder!;
  const { condition, sample } = run.dataset.shape;
  const { names, classes } = condition.label ?? {};
  const captions = classes ? (i: number) => names?.[i % classes] ?? String(i % classes) : undefined;
  const drawable = sample.length === 3 || (sample.length === 1 && sample[0] === 2);
  const real = drawable && !run.dataset.conditionsOnly ? await realSamples(run.dataset, SAMPLES) : undefined;
  const observers = [
    ...(given.on("quiet") ? [lossWarnings, severeWarnings] : [progress({ stream: process.stderr })]),
    // Before the log itself adds to its file.
    lossCurves({ files, path: folder.lossPlot, earlier: resumed ? folder.events : undefined }),
    eventLog({ files, path: folder.events }),
    ...(drawable ? [sampleGrids({ files, folder: folder.samples, real, captions })] : []),
    diagnosisTable((text) => process.stdout.write(`${text}\n\n`)),
    healthTable((text) => process.stdout.write(`${text}\n\n`)),
    resultTable((text) => process.stdout.write(`${text}\n`)),
  ];
  const shown = lastSamples();
  for (const observer of [...observers, shown]) observer.observe(run.bus);
  return { sets: shown.sets, captions, ...(sample.length === 1 && { real }) };
}

/** Whatever came of the run; that it can't be written is no fault of the run. */
async function writePage(run: Run, given: Given, told: ForPage, say: (text: string) => void): Promise<void> {
  const { page, events, path, config } = run.folder!;
  const command = (name: string, words: string) => `${commandName()} ${name} ${words}${sameFlags(given, name)}`;
  try {
    const complete: unknown = await readConfig(config, files);
    const text = await runPage({
      files,
      events,
      title: `Run ${path}`,
      config: complete as Record<string, unknown>,
      samples: [...told.sets.values()],
      real: told.real,
      captions: told.captions,
      references,
      commands: [command("sample", path), command("doctor", path), command("train", `--resume --out ${path}`)],
      footer: `onestep ${version()}`,
    });
    await files.write(page, new TextEncoder().encode(text));
    say(`page    ${page}`);
  } catch (error) {
    say(`warning (page): ${page} is not written: ${(error as Error).message}`);
  }
}
