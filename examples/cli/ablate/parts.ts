import { dirname } from "node:path";
import { files } from "../../../backends/host/files.ts";
import { OnestepError } from "../../../core/errors.ts";
import { parseJson } from "../../../core/json/mod.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import { EVALUATION_SEED, type RunConfig, type RunFolder, runFolder } from "../../../core/train/mod.ts";
import type { Given } from "../command.ts";
import { commands } from "../commands.ts";
import { readConfig } from "../configFile.ts";
import { openBackend, tuning } from "../device.ts";
import { evaluate } from "../evaluate/command.ts";
import { readReport } from "../evaluate/protocol.ts";
import { INTERRUPTED } from "../exitStatus.ts";
import { parseFlags } from "../parseFlags.ts";
import { drawRun } from "../sample/fromRun.ts";
import { type Cost, costOf } from "./cost.ts";
import type { Shared } from "./expand.ts";
import { namedIn, type Plan } from "./plan.ts";
import type { Outcome } from "./result.ts";

/** A run of the table with its files: the teacher of a seed, or a row. */
export interface Part {
  readonly folder: RunFolder;
  /** What the run is made from; the folder has it complete. */
  readonly config: string;
  /** There once the run has ended and was judged. */
  readonly evaluation: string;
  /** What its training took, and its samples of the noise that all are drawn from; in tables that tell costs. */
  readonly cost: string;
  readonly picture: string;
  /** There when its updates were not finite in the end: what was said. */
  readonly diverged: string;
}

const seedFolder = (out: string, seed: number) => files.join(out, `seed-${seed}`);

export function partAt(out: string, seed: number, name: string): Part {
  const path = files.join(seedFolder(out, seed), name);
  const beside = (what: string) => `${path}.${what}.json`;
  return {
    folder: runFolder(files, path),
    config: beside("config"),
    evaluation: beside("evaluation"),
    diverged: beside("diverged"),
    cost: beside("cost"),
    picture: `${path}.png`,
  };
}

/** The file of the pairs that all rows of a seed share. */
export const pairsAt = (out: string, seed: number): string => files.join(seedFolder(out, seed), "pairs.safetensors");

const textIn = async (path: string) => new TextDecoder().decode(await files.read(path));
const writeJson = (path: string, value: unknown) =>
  files.write(path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));

/** How far a part is, by its files. */
export async function outcomeOf({ evaluation, diverged, cost }: Part): Promise<Outcome> {
  if (await files.exists(evaluation)) {
    const report = readReport(await textIn(evaluation), evaluation);
    const told = (await files.exists(cost)) ? (parseJson(await textIn(cost)) as unknown as Cost) : undefined;
    return { is: "judged", report, ...(told && { cost: told }) };
  }
  return { is: (await files.exists(diverged)) ? "diverged" : "missing" };
}

/** Ctrl-C was pressed; what is done is kept. */
export class Stopped extends Error {}

/** The steps of an ablation, each a command of `onestep`. They do nothing where their result is there. */
export function steps(given: Given, plan: Plan) {
  const { ground } = namedIn(plan);
  const ended = async (part: Part) => (await outcomeOf(part)).is !== "missing";
  const data = plan.data === undefined ? [] : ["--data", plan.data];
  const state = { training: false };

  /** The words of another command, with those flags of this one that it has too. */
  const words = (name: string, own: readonly string[]) => {
    const command = commands.find((each) => each.name === name)!;
    const passed = ["device", "threads", "tune", "plugin", "quiet"].filter((flag) => flag in command.flags);
    const flags = passed.flatMap((flag) =>
      command.flags[flag].type === "boolean"
        ? given.on(flag)
          ? [`--${flag}`]
          : []
        : given.all(flag).flatMap((text) => [`--${flag}`, text]),
    );
    return { command, given: parseFlags(command, [...own, ...flags]) };
  };
  const call = async (name: string, own: readonly string[]): Promise<number> => {
    const { command, given } = words(name, own);
    return (await command.load()).run(given);
  };

  /** Trains a run, or goes on with it. @throws Stopped */
  const train = async (part: Part, config: RunConfig): Promise<void> => {
    const { folder } = part;
    if ((await ended(part)) || (await files.exists(files.join(folder.path, "report.json")))) return;
    const goesOn = await folder.holdsRun();
    await files.makeDir(dirname(folder.path));
    await writeJson(part.config, config);
    state.training = true;
    try {
      const what = goesOn ? "--resume" : part.config;
      if ((await call("train", [what, ...data, "--out", folder.path])) === INTERRUPTED) throw new Stopped();
    } finally {
      state.training = false;
    }
  };

  return {
    state,
    train,
    /** The same of a row, which may diverge: that is a result. */
    async trainRow(part: Part, config: RunConfig): Promise<void> {
      try {
        await train(part, config);
      } catch (error) {
        if (!(error instanceof OnestepError && error.code === "E_DIVERGED")) throw error;
        process.stderr.write(`${error.message}; the table goes on without it\n`);
        await writeJson(part.diverged, { diverged: error.message });
      }
    },
    async pairs({ folder }: Part, { seed, pairs }: Shared): Promise<void> {
      if (await files.exists(pairs)) return;
      await call("pairs", [folder.path, "--n", `${plan.pairs}`, "--seed", `${seed}`, "--out", pairs]);
    },
    /** Says what a run that has ended took, and shows its samples. */
    async describe(part: Part, role: string, registry: Registry): Promise<void> {
      if (!namedIn(plan).table.costs || (await ended(part))) return;
      const own = [part.folder.path, "--role", role, "--seed", `${EVALUATION_SEED}`, "--n", `${ground.shown}`];
      await drawRun(words("sample", [...own, "--out", part.picture, "--force"]).given);
      if (role === "teacher") return;
      const device = await openBackend(given.text("device"), tuning(given));
      try {
        const config = await readConfig(part.folder.config, files);
        await writeJson(part.cost, await costOf(config, part.folder.events, plan.data, registry, device));
      } finally {
        await device.close();
      }
    },
    /** Judges the samples of a run that has ended, always in the same way. */
    async judge(part: Part, role: string): Promise<void> {
      if (await ended(part)) return;
      const own = plan.settings.filter((setting) => setting.startsWith("dataset."));
      const { given } = words("evaluate", [
        part.folder.path,
        "--role",
        role,
        "--reference",
        plan.dataset,
        "--metric",
        ground.metrics.join(","),
        "--n",
        `${plan.samples}`,
        "--seed",
        `${EVALUATION_SEED}`,
        // Numbers that are there are never judged again; a page without its numbers is made anew.
        "--out",
        part.evaluation,
        "--force",
        ...data,
        ...(own.length > 0 ? [`dataset.use=${plan.dataset}`, ...own] : []).flatMap((setting) => ["--set", setting]),
      ]);
      await evaluate(given);
    },
  };
}
