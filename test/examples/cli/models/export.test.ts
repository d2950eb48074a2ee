import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../../backends/host/files.ts";
import { openSafetensors } from "../../../../core/io/mod.ts";
import { openModelParts } from "../../../../plugins/pipelines/shared/modelParts.ts";
import { scratch } from "../program.ts";
import { printed, refusal } from "./called.ts";
import { adaptersFile, generatorFile, modelFolder } from "./files.ts";

const test = suite("examples/cli/models/export");
const { path, remove } = scratch();
const base = path("base");
const whole = path("generator.safetensors");
const adapted = path("adapted.safetensors");
test.before(async () => {
  modelFolder(base);
  generatorFile(whole, 0);
  await adaptersFile(adapted, 4);
});
test.after(remove);

const share = (text: string) => Number(/([\d.e-]+) % of their RMS/.exec(text)?.[1]);
const drafts = () => readdirSync(path(".")).filter((name) => name.endsWith(".tmp"));

test("a folder for diffusers draws what the run drew, to the last bit", async () => {
  const text = await printed(
    "export",
    whole,
    path("d"),
    "--to",
    "diffusers",
    "--base",
    base,
    "--verify",
    "--device",
    "wasm",
    "--threads",
    "1",
  );
  assert.match(text, /timesteps=\[999, 499\], guidance_scale=0/);
  assert.is(share(text), 0, text);
  const model = await openModelParts(files, path("d"));
  assert.equal(Object.keys(model.parts), ["unet", "vae", "text_encoder"]);
  assert.equal([model.scheduler!._class_name, model.scheduler!.beta_schedule], ["LCMScheduler", "scaled_linear"]);
  assert.equal([model.sampler!.role, model.sampler!.timesteps], ["generator", [999, 499]]);
  assert.is(model.modelIndex!._diffusers_version, "0.31.0");
  assert.ok(model.vocabulary);
  // Where the weights of whoever trained lie is nobody else's business.
  assert.not.match(readFileSync(path("d/onestep_sampler.json"), "utf8"), /secret/);
  assert.equal(drafts(), []);
});

test("adapters as a LoRA in kohya's keys, and in the weights of one file in half precision", async () => {
  const lora = await printed(
    "export",
    adapted,
    path("l.safetensors"),
    "--to",
    "lora",
    "--verify",
    "--device",
    "wasm",
    "--threads",
    "1",
  );
  assert.match(lora, /a LoRA of \d+ layers, rank 4, alpha 2, kohya's keys/);
  assert.ok(share(lora) < 0.001, lora);
  await printed("export", adapted, path("s.safetensors"), "--to", "single", "--base", base, "--dtype", "f16");
  const { tensors } = await openSafetensors(files, path("s.safetensors"));
  assert.ok(Object.values(tensors).every(({ dtype }) => dtype === "F16"));
  assert.ok("model.diffusion_model.input_blocks.0.0.weight" in tensors);
});

test("what can't be written is refused before anything is", async () => {
  assert.match(await refusal("export", whole, path("x")), /E_USAGE.*not said what to write\nfix: give --to/);
  assert.match(await refusal("export", whole, path("x"), "--to", "lor"), /should be one of .*did you mean "lora"/);
  assert.match(await refusal("export", whole, path("x.bin"), "--to", "single"), /should end in \.safetensors/);
  assert.match(
    await refusal("export", whole, path("x.safetensors"), "--to", "lora"),
    /it has no adapters\nfix: train with/,
  );
  assert.match(await refusal("export", whole, base, "--to", "diffusers"), /E_FILE.*it is there already/);
  writeFileSync(path("broken.safetensors"), "no weights");
  const broken = await refusal("export", whole, path("x"), "--to", "diffusers", "--base", path("broken.safetensors"));
  assert.match(broken, /E_CHECKPOINT: Cannot read .*broken\.safetensors/);
  assert.not.ok(existsSync(path("x")) || existsSync(path("x.safetensors")));
});

test("weights that can't be read to the end leave no folder, and the old one is kept", async () => {
  const before = statSync(path("d/model_index.json")).mtimeMs;
  const cut = path("cut.safetensors");
  // The header is whole; a number is not one that half precision has.
  const bytes = Uint8Array.from(readFileSync(whole));
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1e30, true);
  writeFileSync(cut, bytes);
  const text = await refusal("export", cut, path("d"), "--to", "diffusers", "--dtype", "f16", "--force");
  assert.match(text, /E_CHECKPOINT: Cannot write \S+ as f16: it has 1\.\d+e\+30/);
  assert.is(statSync(path("d/model_index.json")).mtimeMs, before);
  assert.equal(drafts(), []);
});

test.run();
