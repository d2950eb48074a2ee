// Tiny networks with random weights, in every form that a DiT has.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { Container } from "../../../core/di/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { classLabel, type JsonObject, type ModelParts, NETWORK, PIPELINE } from "../../../core/interfaces/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../core/io/mod.ts";
import { layoutOf, unpackArenas } from "../../../core/nn/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { encodeWeights } from "../../../core/train/mod.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { dit } from "../../../plugins/networks/dit.ts";
import { ditPipeline } from "../../../plugins/pipelines/dit.ts";
import { type GenerateRequest, openPipeline } from "../../../plugins/pipelines/textToImage.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected, thrown } from "../../helpers/thrown.ts";
import { compose, numbers } from "../support.ts";

const test = suite("plugins/pipelines/dit");
const backend = await WasmBackend.open();
test.after(() => backend.close());
const registry = new Registry().register(allPlugins);

/** Layout of a DiT for latents [4, 8, 8] and three classes. */
function layout(options: NonNullable<Parameters<typeof dit>[0]>, sample = [4, 8, 8], classes = 3) {
  const shape = { sample, condition: classLabel(classes), sigmaData: 1 };
  const network = compose(shape, dit(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return layoutOf((scope) => void network.apply(scope, x, sigma, condition));
}
const own = layout({ width: 64, depth: 2, heads: 1, learnSigma: true });
const arenas = own.arenas.map((size) => numbers([size]).map((value) => 0.2 * value));
type Named = Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
const official: Named = unpackArenas(own, arenas);
const file = (tensors: Named) =>
  encodeSafetensors(
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, data }]): [string, StoredTensor] => [
        name,
        { dtype: "F32", shape: [...shape], data },
      ]),
    ),
  );

/** The names of diffusers, as its conversion script gives them. */
function byDiffusers(tensors: Named, depth: number): Named {
  const out: Named = {};
  const put = (to: string, from: string, kinds = ["weight", "bias"]) => {
    for (const kind of kinds) out[`${to}.${kind}`] = tensors[`${from}.${kind}`];
  };
  put("pos_embed.proj", "x_embedder.proj");
  put("proj_out_1", "final_layer.adaLN_modulation.1");
  put("proj_out_2", "final_layer.linear");
  for (let i = 0; i < depth; i++) {
    const [to, from] = [`transformer_blocks.${i}`, `blocks.${i}`];
    put(`${to}.norm1.emb.timestep_embedder.linear_1`, "t_embedder.mlp.0");
    put(`${to}.norm1.emb.timestep_embedder.linear_2`, "t_embedder.mlp.2");
    put(`${to}.norm1.emb.class_embedder.embedding_table`, "y_embedder.embedding_table", ["weight"]);
    put(`${to}.norm1.linear`, `${from}.adaLN_modulation.1`);
    put(`${to}.attn1.to_out.0`, `${from}.attn.proj`);
    put(`${to}.ff.net.0.proj`, `${from}.mlp.fc1`);
    put(`${to}.ff.net.2`, `${from}.mlp.fc2`);
    for (const kind of ["weight", "bias"])
      for (const [k, letter] of ["q", "k", "v"].entries()) {
        const { shape, data } = tensors[`${from}.attn.qkv.${kind}`];
        const size = data.length / 3;
        out[`${to}.attn1.to_${letter}.${kind}`] = {
          shape: [shape[0] / 3, ...shape.slice(1)],
          data: data.slice(k * size, (k + 1) * size),
        };
      }
  }
  return out;
}

/** `transformer/config.json` of facebook/DiT-XL-2-256, as far as it says anything of the network. */
const XL: JsonObject = {
  _class_name: "DiTTransformer2DModel",
  activation_fn: "gelu-approximate",
  attention_bias: true,
  attention_head_dim: 72,
  in_channels: 4,
  norm_elementwise_affine: false,
  norm_type: "ada_norm_zero",
  num_attention_heads: 16,
  num_embeds_ada_norm: 1000,
  num_layers: 28,
  out_channels: 8,
  patch_size: 2,
  sample_size: 32,
};
const tinyConfig = { ...XL, num_attention_heads: 1, attention_head_dim: 64, num_embeds_ada_norm: 3, sample_size: 8 };
const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
const scheduler = { _class_name: "DDIMScheduler", beta_schedule: "linear", beta_start: 1e-4, beta_end: 0.02 };

const models = memoryFiles();
await writeTinyModel(models, "sd15", { kind: "sd15" });
const put = async (path: string, content: Uint8Array) => {
  await models.makeDir(path.slice(0, path.lastIndexOf("/")));
  await models.write(path, content);
};
async function writeFolder(path: string, tensors: Named, noise: JsonObject = scheduler) {
  for (const name of ["config.json", "diffusion_pytorch_model.safetensors"])
    await put(`${path}/vae/${name}`, await models.read(`sd15/vae/${name}`));
  await put(`${path}/transformer/config.json`, json(tinyConfig));
  await put(`${path}/transformer/diffusion_pytorch_model.safetensors`, file(tensors));
  await put(`${path}/scheduler/scheduler_config.json`, json(noise));
  const id2label = { 0: "tench, Tinca tinca", 1: "goldfish", 2: "ice cream, icecream" };
  await put(`${path}/model_index.json`, json({ _class_name: "DiTPipeline", id2label }));
}
const diffusers = byDiffusers(official, 2);
await writeFolder("dit", diffusers);

async function drawn(path: string, request: GenerateRequest = {}, vae?: string) {
  const model = await openPipeline(models, path, { backend, registry, vae });
  const { pictures, ...told } = await model.generate({ steps: 2, label: "1", ...request });
  return { ...told, bytes: pictures.map(({ data }) => data.join()) };
}

test("the published settings, and the published shapes alone, are DiT-XL/2", () => {
  const names = layout({ learnSigma: true }, [4, 32, 32], 1000);
  const shapes = [...names.entries, ...names.derived!].map(({ name, shape }) => {
    const entry = { dtype: "F32" as const, shape, read: () => Promise.reject(new Error("nothing is read")) };
    return [name, entry] as const;
  });
  const container = new Container();
  ditPipeline().install(container);
  const pipeline = container.get(PIPELINE);
  for (const config of [undefined, XL]) {
    const transformer = { from: "DiT-XL-2-256x256.pt", tensors: Object.fromEntries(shapes), config };
    const parts: ModelParts = { path: "dit", layout: "network", architecture: "transformer", parts: { transformer } };
    assert.ok(pipeline.reads(parts));
    const { config: found, size, guidanceScale, shape } = pipeline.open(parts, models);
    assert.equal(found.network, {
      use: "dit",
      width: 1152,
      depth: 28,
      heads: 16,
      patch: 2,
      mlpRatio: 4,
      labelDropout: 0.1,
      learnSigma: true,
    });
    assert.equal(found.process, {
      use: "discrete",
      curve: "linear",
      betaStart: 1e-4,
      betaEnd: 0.02,
      count: 1000,
      zeroTerminalSnr: false,
      prediction: "epsilon",
    });
    assert.equal([size, guidanceScale, found.sampler.use], [{ width: 256, height: 256 }, 4, "ddim"]);
    assert.equal(shape({ size }).sample, [4, 32, 32]);
    assert.is(shape({ size }).condition.label.classes, 1000);
    assert.match(thrown(() => shape({ size: { width: 256, height: 264 } })).message, /multiple of 16/);
  }
  const unknown = { from: "unet", tensors: {} };
  assert.not.ok(
    pipeline.reads({ path: "unet", layout: "network", architecture: "sd15", parts: { transformer: unknown } }),
  );
});

test("a folder of diffusers and a file with the official names draw the same, by class and by its name", async () => {
  const first = await drawn("dit", {});
  assert.equal([first.nfe, first.size, first.drawing.guidanceScale], [2, { width: 64, height: 64 }, 4]);
  assert.equal((await drawn("dit", { label: "goldfish" })).bytes, first.bytes);
  await models.write("official.safetensors", file(official));
  assert.equal((await drawn("official.safetensors", {}, "dit")).bytes, first.bytes);
  assert.not.equal((await drawn("dit", { label: "0" })).bytes, first.bytes);
  assert.not.equal((await drawn("dit", { guidanceScale: 1 })).bytes, first.bytes);
  const wrong = await rejected(drawn("dit", { label: "tiger" }));
  assert.match(wrong.message, /^Cannot draw class tiger: classes are 0 to 2$/);
});

test("a rectified flow: by its scheduler, and as a generator that onestep has trained", async () => {
  const flow = { _class_name: "FlowMatchEulerDiscreteScheduler", shift: 3, num_train_timesteps: 1000 };
  await writeFolder("flow", diffusers, flow);
  const { drawing } = await drawn("flow");
  assert.equal(drawing.process, { use: "rectified-flow", count: 1000, shift: 3 });
  assert.equal([drawing.sampler.use, drawing.sampler.spacing], ["euler", "trailing"]);

  const config = {
    network: { use: "dit", width: 64, depth: 2, heads: 1, learnSigma: true },
    process: { use: "rectified-flow", shift: 3 },
    sampler: { use: "euler", steps: 2, spacing: "trailing" },
    generator: { use: "few-step", timesteps: [998, 499] },
  };
  const info = { stage: "distillation", config, data: { sample: [4, 8, 8], condition: classLabel(3), sigmaData: 1 } };
  await models.write("generator.safetensors", encodeWeights(official, { ...info, role: "generator" } as never));
  await models.write("teacher.safetensors", encodeWeights(official, { ...info, role: "teacher" } as never));
  const generator = await drawn("generator.safetensors", { steps: undefined }, "dit");
  assert.equal([generator.nfe, generator.drawing.as, generator.drawing.guidanceScale], [2, "manifest", 1]);
  const times = (generator.drawing.sampler.sigmas as number[]).map((sigma) => sigma / 3 / (1 + sigma / 3));
  assert.equal(
    times.map((time) => +time.toFixed(6)),
    [0.999, 0.5],
  );
  const teacher = await drawn("teacher.safetensors", { guidanceScale: 1 }, "dit");
  assert.equal([teacher.nfe, teacher.drawing.as], [2, "model"]);
  const same = await drawn("flow", { guidanceScale: 1 });
  assert.equal(teacher.bytes, same.bytes, "the same weights, process and steps");
});

test("embedders that differ between blocks, heads that nothing tells, and dynamic shifts are refused", async () => {
  const name = "transformer_blocks.1.norm1.emb.class_embedder.embedding_table.weight";
  const moved = { ...diffusers, [name]: { ...diffusers[name], data: diffusers[name].data.map((value) => value + 1) } };
  await writeFolder("moved", moved);
  const error = await rejected(drawn("moved"));
  assert.is(error.code, "E_CHECKPOINT");
  assert.match(error.message, /blocks\.1\.norm1\.emb\.class_embedder\.embedding_table\.weight differs/);

  const narrow = layout({ width: 32, depth: 1, heads: 1 });
  await models.write(
    "narrow.safetensors",
    file(
      unpackArenas(
        narrow,
        narrow.arenas.map((size) => numbers([size])),
      ),
    ),
  );
  assert.match(
    (await rejected(drawn("narrow.safetensors", {}, "dit"))).message,
    /its tokens are 32 wide, which does not say how many attention heads/,
  );
  const dynamic = { _class_name: "FlowMatchEulerDiscreteScheduler", use_dynamic_shifting: true };
  await writeFolder("dynamic", diffusers, dynamic);
  assert.match((await rejected(drawn("dynamic"))).message, /use_dynamic_shifting is true, should be false/);
});

test.run();
