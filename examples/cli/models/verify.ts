/** Draws the same samples from what was exported and from what was written, and says how much they differ. */
import { files } from "../../../backends/host/files.ts";
import { failure } from "../../../core/errors.ts";
import type { Backend, DataShape, HostArray, ModelPart, ModelParts } from "../../../core/interfaces/mod.ts";
import { toFloat32 } from "../../../core/io/mod.ts";
import { hostRandom } from "../../../core/random/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import type { RunConfig, WeightsInfo } from "../../../core/train/mod.ts";
import type { NamedTensors } from "../../../core/train/update/player.ts";
import { architectureOf } from "../../../plugins/pipelines/shared/architecture.ts";
import { openLora } from "../../../plugins/pipelines/shared/loraFile.ts";
import { mergeLora } from "../../../plugins/pipelines/shared/mergeLora.ts";
import { openModelParts } from "../../../plugins/pipelines/shared/modelParts.ts";
import type { TrainedNetwork } from "../../../plugins/pipelines/shared/trainedNetwork.ts";
import { unet2dOptions } from "../../../plugins/pipelines/shared/unet2dConfig.ts";
import type { Given } from "../command.ts";
import { openBackend, tuning } from "../device.ts";
import { loadRegistry } from "../registry.ts";
import { openDrawer, storedPlugins } from "../storedWeights.ts";
import type { Source } from "./source.ts";

/** Samples that are drawn from each side. */
const COUNT = 2;
/** Latents on a side at most: what the weights are shows in small pictures too. */
const SIDE = 16;
/** Share of the samples' own size by which half precision changes them, with room; another model differs by about 1. */
const MOST = 0.1;

/**
 * The line that says by how much samples with the same noise and conditions differ.
 * @throws E_CHECKPOINT where they are not those of the same model
 */
export async function verify(
  { model, trained }: Source,
  form: "diffusers" | "single" | "lora",
  out: string,
  given: Given,
): Promise<string> {
  const unet = model.parts.unet;
  if (!unet) throw failure("E_CHECKPOINT", `Cannot verify ${out}: it has no U-Net`, { fix: "leave --verify out" });
  const written = form === "lora" ? await besideBase(trained!, out) : await openModelParts(files, out);
  const backend = await openBackend(given.text("device"), tuning(given));
  try {
    const how = { info: small(trained?.info ?? (await plainInfo(model))), given, backend };
    // What a run drew: its adapters beside the weights. What was written has none.
    const adapters = trained && trained.pairs.length > 0 ? trained : undefined;
    const before = await drawn(await (adapters ? adapted(adapters) : numbers(unet)), how, adapters !== undefined);
    const after = await drawn(await numbers(written.parts.unet!), how, false);
    return compared(before, after, out);
  } finally {
    await backend.close();
  }
}

function compared(before: Float32Array, after: Float32Array, out: string): string {
  let [most, squares, own] = [0, 0, 0];
  for (const [i, value] of before.entries()) {
    const difference = after[i] - value;
    most = Math.max(most, Math.abs(difference));
    squares += difference * difference;
    own += value * value;
  }
  const share = Math.sqrt(squares / own);
  const told = `${COUNT} samples with the same noise differ by ${most.toExponential(1)} at most, ${(100 * share).toPrecision(2)} % of their RMS`;
  if (share <= MOST) return `verified ${out}: ${told}`;
  throw failure("E_CHECKPOINT", `Cannot verify ${out}: ${told}, should be at most ${100 * MOST} %`, {
    fix: "this is a fault of onestep; please report it, with what was exported",
  });
}

/** What a LoRA file makes of the weights that it was trained beside. */
async function besideBase({ tensors }: TrainedNetwork, out: string): Promise<ModelParts> {
  const parts = { unet: { from: out, tensors } };
  const base: ModelParts = { path: out, layout: "network", architecture: architectureOf(parts), parts };
  return mergeLora(base, await openLora(files, out)).model;
}

async function numbers({ tensors }: Pick<ModelPart, "tensors">): Promise<NamedTensors> {
  const read: NamedTensors = {};
  for (const [name, entry] of Object.entries(tensors))
    read[name] = { shape: entry.shape, data: toFloat32(await entry.read()) };
  return read;
}

/** A run's weights with its adapters under the names that it trained them by. */
async function adapted({ tensors, pairs }: TrainedNetwork): Promise<NamedTensors> {
  const beside = Object.fromEntries(
    pairs.flatMap(({ layer, down, up }) => [
      [`${layer}.lora_A.default.weight`, down],
      [`${layer}.lora_B.default.weight`, up],
    ]),
  );
  return numbers({ tensors: { ...tensors, ...beside } });
}

interface How {
  readonly info: WeightsInfo;
  readonly given: Given;
  readonly backend: Backend;
}

async function drawn(
  tensors: NamedTensors,
  { info, given, backend }: How,
  hasAdapters: boolean,
): Promise<Float32Array> {
  const { config, data } = info;
  const generator = config.generator && { ...config.generator, ...(!hasAdapters && { lora: { rank: 0 } }) };
  const own = { ...info, config: { ...config, generator } as RunConfig };
  const registry = await loadRegistry(given.all("plugin"));
  const plugins = storedPlugins(own, own.config.sampler?.use ?? "heun", [], registry);
  const { drawer, close } = await openDrawer(
    backend,
    plugins,
    { tensors, info: own },
    { count: COUNT, ownLevels: true },
  );
  try {
    const { x } = await drawer.draw({
      count: COUNT,
      seed: 0,
      condition: conditionOf(data, COUNT),
      empty: conditionOf(data, 1),
    });
    return x;
  } finally {
    await close();
  }
}

/** Numbers in place of texts and sizes: the same ones each time. */
function conditionOf({ condition }: DataShape, count: number): Record<string, HostArray> {
  const random = hostRandom(1, 0, 0);
  const told = Object.entries(condition).filter(([, { classes }]) => classes === undefined);
  return Object.fromEntries(
    told.map(([name, { shape }]) => [
      name,
      Float32Array.from({ length: count * sizeOf(shape) }, () => random() * 2 - 1),
    ]),
  );
}

const small = (info: WeightsInfo): WeightsInfo => {
  const [channels, ...sides] = info.data.sample;
  return { ...info, data: { ...info.data, sample: [channels, ...sides.map((side) => Math.min(side, SIDE))] } };
};

/** Weights that are no run's are called at two timesteps, as a generator would be. @throws E_CONFIG */
async function plainInfo({ parts, scheduler, path }: ModelParts): Promise<WeightsInfo> {
  const { config = {}, tensors } = parts.unet as ModelPart;
  const options = Object.entries(unet2dOptions(config, path)).filter(([, value]) => value !== undefined);
  const added = tensors["add_embedding.linear_1.weight"]?.shape[1];
  const ids = Number(config.addition_time_embed_dim ?? 0) * 6;
  const f32 = (...shape: number[]) => ({ shape, dtype: "f32" as const });
  const condition = {
    text: f32(7, Number(config.cross_attention_dim)),
    ...(added !== undefined && { pooled: f32(added - ids), timeIds: f32(6) }),
  };
  const prediction = scheduler?.prediction_type === "v_prediction" ? "velocity" : "epsilon";
  const run = {
    network: { use: "unet2d", ...Object.fromEntries(options) },
    process: { use: "discrete", prediction },
    teacher: { use: "edm" },
    generator: { use: "few-step", timesteps: [999, 499] },
    sampler: { use: "ddim", steps: 2 },
    method: { use: "dmd2" },
  };
  const data = { sample: [Number(tensors["conv_in.weight"].shape[1]), SIDE, SIDE], condition, sigmaData: 1 };
  return { role: "generator", data, config: run as unknown as RunConfig };
}
