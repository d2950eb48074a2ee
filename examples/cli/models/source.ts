/** What is exported: a generator that a run trained, or weights of others. */
import { files } from "../../../backends/host/files.ts";
import { failure } from "../../../core/errors.ts";
import type { JsonObject, ModelPart, ModelParts } from "../../../core/interfaces/mod.ts";
import { openSafetensors } from "../../../core/io/mod.ts";
import { misfit } from "../../../core/nn/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";
import { openBase } from "../../../core/train/files/baseWeights.ts";
import { runFolder } from "../../../core/train/files/runFolder.ts";
import { architectureOf } from "../../../plugins/pipelines/shared/architecture.ts";
import { mergeLora } from "../../../plugins/pipelines/shared/mergeLora.ts";
import { openModelParts } from "../../../plugins/pipelines/shared/modelParts.ts";
import { unetConfig, withOptions } from "../../../plugins/pipelines/shared/partConfigs.ts";
import { schedulerNoise } from "../../../plugins/pipelines/shared/samplerManifest.ts";
import { fewStepScheduler, usualScheduler } from "../../../plugins/pipelines/shared/schedulerConfigs.ts";
import { type TrainedNetwork, trainedNetwork } from "../../../plugins/pipelines/shared/trainedNetwork.ts";
import { findWeights } from "../storedWeights.ts";

/** A model that is to be written. */
export interface Source {
  /** With the network in it, adapters included, and the other parts of the base. */
  readonly model: ModelParts;
  /** The file of the network. */
  readonly file: string;
  /** Of a run: its network, with the adapters apart. */
  readonly trained?: TrainedNetwork;
}

/**
 * Opens what is to be exported, with the other parts from a base.
 * @throws E_CHECKPOINT where the network is none that other programs know, or the base is another model; E_FILE
 */
export async function openSource(
  given: string,
  roles: readonly string[],
  { base, adaptersAlone }: { readonly base?: string; readonly adaptersAlone: boolean },
): Promise<Source> {
  const file = (await runFolder(files, given).holdsRun()) ? await findWeights(given, roles) : given;
  const around = base === undefined ? undefined : await openModelParts(files, base);
  const trained = file.endsWith(".safetensors")
    ? await trainedNetwork(await openSafetensors(files, file), file)
    : undefined;
  if (!trained) {
    const own = await openModelParts(files, file);
    return { model: around ? joined(own, around) : own, file };
  }
  const { use, ...options } = trained.info.config.network;
  if (use !== "unet2d")
    throw failure(
      "E_CHECKPOINT",
      `Cannot export ${file}: its network is ${use}, other programs know that of Stable Diffusion and SDXL, unet2d`,
      { fix: "sample it with `onestep sample`, or write its tensors with `onestep convert`" },
    );
  // The adapters of a file need no weights to become a file of their own.
  if (adaptersAlone) {
    const bare: ModelParts = { path: file, layout: "network", architecture: "unknown", parts: {} };
    return { model: bare, file, trained };
  }
  // What a run wrote beside its adapters; a base that is given has the same.
  const { base: beside } = trained.info;
  const below = beside && !around ? await openBase(files, file, beside) : around?.parts.unet?.tensors;
  const tensors = "conv_in.weight" in trained.tensors ? trained.tensors : { ...below, ...trained.tensors };
  const whole = { ...trained, tensors };
  return { model: trainedModel(whole, file, options, around), file, trained: whole };
}

/** A run's network as a model, with its adapters in it. */
function trainedModel(
  { tensors, pairs, info, sampler }: TrainedNetwork,
  file: string,
  options: JsonObject,
  around: ModelParts | undefined,
): ModelParts {
  if (!("conv_in.weight" in tensors))
    throw failure("E_CHECKPOINT", `Cannot export ${file}: it has adapters alone`, {
      fix: "give the model that they were trained beside with --base, or write them with --to lora",
    });
  const architecture = architectureOf({ unet: { from: file, tensors } });
  const config = withOptions(unetConfig(tensors, architecture, info.data.condition.pooled?.shape[0]), options);
  const bare: ModelParts = {
    path: file,
    layout: "network",
    architecture,
    parts: { unet: { from: file, tensors, config } },
  };
  const { model } = pairs.length > 0 ? mergeLora(bare, { from: file, pairs }) : { model: bare };
  const noise = schedulerNoise(info.config);
  const isGenerator = info.role !== "teacher";
  const scheduler =
    isGenerator && noise ? fewStepScheduler(noise) : (around?.scheduler ?? usualScheduler(architecture, noise));
  const whole = around ? joined(model, around) : model;
  return { ...whole, scheduler, sampler };
}

/** A model with its own parts, and the others of a base. @throws E_CHECKPOINT where the base has other networks */
function joined(own: ModelParts, base: ModelParts): ModelParts {
  const parts = { ...base.parts };
  for (const [name, part] of Object.entries(own.parts)) {
    const known = base.parts[name as keyof typeof parts];
    if (known) checkSame(part, known, `Cannot put ${own.path} into ${base.path}`);
    parts[name as keyof typeof parts] = { ...part, config: known?.config ?? part.config };
  }
  const { scheduler, sampler, architecture } = own;
  return {
    ...base,
    architecture,
    parts,
    scheduler: scheduler ?? base.scheduler,
    ...(sampler && { sampler }),
  };
}

function checkSame(own: ModelPart, base: ModelPart, what: string): void {
  const names = new Set([...Object.keys(own.tensors), ...Object.keys(base.tensors)]);
  const wrong = [...names].flatMap((name) => {
    const [mine, theirs] = [own.tensors[name], base.tensors[name]];
    if (!mine) return [`missing ${name}`];
    if (!theirs) return [`unexpected ${name}`];
    if (mine.shape.join() === theirs.shape.join()) return [];
    return [`${name} is ${formatShape(mine.shape)}, the base has ${formatShape(theirs.shape)}`];
  });
  if (wrong.length > 0) throw misfit(what, wrong, "give the model that it was trained from with --base");
}
