import { failure } from "../../../core/errors.ts";
import type { Given } from "../command.ts";

/** Flags that only a model in files knows. */
const OF_MODELS = [
  "prompt",
  "negative",
  "negative-scale",
  "lora",
  "size",
  "as",
  "unet",
  "vae",
  "vocabulary",
  "variant",
  "tile",
];
/** Flags that only a run knows. */
const OF_RUNS = ["prompts", "role"];

/** Draws from a run's weights, or with a model in files. */
export async function run(given: Given): Promise<number> {
  const isModel = given.on("model");
  const refuse = (why: string, fix: string) => failure("E_USAGE", `Cannot sample: ${why}`, { fix });
  const strange = (isModel ? OF_RUNS : OF_MODELS).find((flag) => given.on(flag));
  if (isModel && given.positionals.length > 0)
    throw refuse(
      `--model and ${given.positionals[0]} are given, there should be one of them`,
      "leave --model out to draw from a run, or the run to draw with a model",
    );
  if (!isModel && given.positionals.length === 0)
    throw refuse("neither a run nor a model is given", "give a run's folder, or a model with --model and --prompt");
  if (strange !== undefined)
    throw refuse(
      isModel
        ? `--${strange} is for weights of a run, and --model is given`
        : `--${strange} is given without a --model`,
      isModel ? `leave --${strange} out` : "say which model to draw with: --model DIR or --model FILE",
    );
  if (isModel) return (await import("./fromModel.ts")).sampleModel(given);
  return (await import("./fromRun.ts")).sampleRun(given);
}
