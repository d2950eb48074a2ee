/** What the tests of methods share: their recipes on a small ring, on the reference backend. */
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import {
  mergeConfig,
  type Recipe,
  Run,
  type RunConfig,
  type RunRequest,
  resolveConfig,
} from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";

const registry = new Registry().register(allPlugins);
const small = { dataset: { use: "gaussians" }, network: { use: "mlp", width: 4, depth: 1 } };

/** A recipe is a complete config but for dataset and network: its plugins, and the options of each. */
export function resolvedRecipe(recipe: Recipe) {
  const { plugins, config } = resolveConfig({ ...recipe, ...small }, registry);
  const losses = plugins.filter(({ kind }) => kind === "loss");
  return {
    // biome-ignore lint/suspicious/noExplicitAny: a config holds options of any plugin
    config: config as any,
    losses: losses.map(({ name, options }) => [name, options.weight]),
  };
}

/** Makes a run of a recipe, not yet started. */
export function createdRun(recipe: Recipe, over: object, output?: RunRequest["output"]): Promise<Run> {
  const config: RunConfig = mergeConfig({ ...recipe, ...small }, over);
  return Run.create({
    resolved: resolveConfig(config, registry),
    backend: new ReferenceBackend(),
    output,
  });
}

/**
 * Runs a recipe to its end, stopped on the way and resumed where `stop` says so: the stage of each step, and the weights that
 * each role ends with.
 */
export async function finished(
  recipe: Recipe,
  over: object,
  lengths: { readonly teacher: number; readonly steps: number },
  stop?: { readonly stage: string; readonly step: number },
) {
  const files = memoryFiles();
  const { teacher, steps } = lengths;
  const config = mergeConfig(over, {
    method: { teacher: { steps: teacher, batch: 4 } },
    train: { steps, batch: 4, evaluateCount: 4 },
  });
  const stages: string[] = [];
  const drawn: string[] = [];
  const nfes: number[] = [];
  const part = async (existing?: "resume") => {
    const run = await createdRun(recipe, config, { files, path: "out", existing });
    run.bus.on("sample/drawn", ({ role, step, nfe }) => {
      drawn.push(`${role}-${step}`);
      if (role === "generator") nfes.push(nfe);
    });
    run.bus.on("step/end", ({ stage, step }) => {
      stages.push(stage);
      if (existing || stage !== stop?.stage || step !== stop.step) return;
      run.send({ type: "sample" });
      run.stop();
    });
    await run.start();
    const { teacher, generator } = run.trainer.players;
    const states = {
      teacher: await teacher.read("served"),
      generator: await generator.read("served"),
    };
    await run.dispose();
    return states;
  };
  const states = await part();
  return { stages, drawn, nfes, states: stop ? await part("resume") : states };
}
