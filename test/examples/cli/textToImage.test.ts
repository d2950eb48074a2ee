// A tiny model of Stable Diffusion, all the way: drawn, its data encoded, distilled, exported, opened again and drawn.
import { readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import { decodePicture, openSafetensors } from "../../../core/io/mod.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { printed, refusal } from "./models/called.ts";
import { scratch } from "./program.ts";

const test = suite("examples/cli text to image");
const { path, remove } = scratch();
const device = ["--device", "wasm", "--threads", "1"];
test.before(async () => {
  await files.makeDir(path("pictures"));
  for (let i = 0; i < 6; i++) {
    const data = Uint8Array.from({ length: 3 * 64 * 64 }, (_, at) => (at * (i + 3)) % 251);
    writeFileSync(path(`pictures/${i}.png`), encodePng({ width: 64, height: 64, channels: 3, data }));
    writeFileSync(path(`pictures/${i}.txt`), `the cat number ${i}`);
  }
});
test.after(remove);

/** Pixels of the picture that a model draws of one text; the file has settings beside them. */
async function drawn(out: string, ...model: string[]): Promise<string> {
  const words = ["--prompt", "the cat in the house", "--steps", "4", "--as", "dmd2", "--seed", "7"];
  await printed("sample", "--model", ...model, ...words, "--out", path(out), ...device);
  const picture = await decodePicture(readFileSync(path(out)), out);
  assert.ok("data" in picture);
  return Buffer.from(picture.data).toString("base64");
}

/** Steps of the distillation: few, for all suites together are to be short; the gate asks for fifty. */
const STEPS = Number(process.env.ONESTEP_STEPS ?? 10);

/** Four steps by backward simulation with the GAN, at rates that move tiny weights. */
const sets = (settings: Record<string, unknown>) =>
  Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
const SHORT = sets({
  "train.steps": STEPS,
  "train.batch": 2,
  "train.accumulate": 1,
  "train.checkpointing": "none",
  "train.checkpointEvery": 0,
  "train.checkpointMinutes": 0,
  "train.sampleEvery": 0,
  "train.evaluateCount": 1,
  "optimizers.generator.lr": 1e-3,
  "optimizers.generator.warmup": 0,
});
const FOUR = sets({
  "generator.timesteps": "999,749,499,249",
  "critic.head": true,
  "losses.gan-generator.weight": 1e-3,
  "losses.gan-discriminator.weight": 1e-2,
  "method.ttur.critic": 5,
});

const cases = {
  sd15: { preset: ["sd15-stage1", ...FOUR], adapted: false },
  sdxl: { preset: ["sdxl-4step-lora", ...sets({ "generator.lora.rank": 4, "critic.lora.rank": 4 })], adapted: true },
} as const;
for (const [kind, { preset, adapted }] of Object.entries(cases))
  test(`${kind}: load, sample, encode, distil${adapted ? " adapters" : ""}, export, load again: the same picture, another than before`, async () => {
    const [model, data, run, out] = [kind, `${kind}-data`, `${kind}-run`, `${kind}-out`].map(path);
    await writeTinyModel(files, model, { kind: kind as keyof typeof cases });
    const before = await drawn(`${kind}-before.png`, model);
    assert.match(
      await printed("data", "encode", path("pictures"), "--model", model, "--out", data, ...device),
      /: 6 rows in 1 new shard$/m,
    );
    await printed("train", ...preset, "--model", model, "--data", data, "--out", run, "--quiet", ...SHORT, ...device);
    const { tensors } = await openSafetensors(files, `${run}/generator.safetensors`);
    const names = Object.keys(tensors);
    assert.is(
      names.every((name) => name.includes(".lora_")),
      adapted,
    );
    const after = await drawn(`${kind}-after.png`, model, "--unet", `${run}/generator.safetensors`);
    assert.is.not(after, before);
    await printed("export", run, out, "--to", "diffusers", "--base", model);
    assert.is(await drawn(`${kind}-again.png`, out), after);
  });

test("sdxl in one step: a warm-up on the teacher's samples of texts alone, and distillation from its generator", async () => {
  const [model, texts] = [path("sdxl"), path("texts")];
  writeFileSync(path("prompts.txt"), "a cat\na dog\nthe house\n");
  await printed("data", "encode", "--prompts", path("prompts.txt"), "--model", model, "--out", texts, ...device);
  const whole = ["--model", model, "--quiet", ...SHORT, "--set", "train.steps=2", ...device];
  const drawing = sets({ "sampler.steps": 2, "losses.knowledge-distillation.distance": "huber" });
  await printed("train", "sdxl-1step-warmup", "--data", texts, "--out", path("warm"), ...whole, ...drawing);
  const prepared = path("warm/generator.safetensors");
  const start = ["--set", `start.generator=${prepared}`];
  await printed("train", "sdxl-1step", "--data", path("sdxl-data"), "--out", path("one"), ...whole, ...start);
  const weights = async (file: string) => (await openSafetensors(files, file)).tensors["conv_in.weight"].shape;
  assert.equal(await weights(path("one/generator.safetensors")), await weights(prepared));
  const before = await drawn("teacher.png", model);
  const after = await drawn("warm.png", model, "--unet", prepared);
  assert.is.not(after, before);
  assert.is.not(await drawn("one.png", model, "--unet", path("one/generator.safetensors")), after);
});

test("--model has the last word about the teacher, and is no part of going on", async () => {
  const words = ["train", "sd15-stage1", "--model", path("sd15")] as const;
  assert.match(await refusal(...words, "--teacher", "x.safetensors"), /Cannot start the teacher twice/);
  assert.match(await refusal(...words, "--resume"), /Cannot change the model of a run/);
});

test.run();
