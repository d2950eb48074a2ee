import { existsSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../../backends/host/files.ts";
import { encodeSafetensors, openSafetensors } from "../../../../core/io/mod.ts";
import { writeTinyModel } from "../../../../examples/tiny-models/write.ts";
import { openModelParts } from "../../../../plugins/pipelines/shared/modelParts.ts";
import { goldenBytes, hasGolden } from "../../../helpers/golden.ts";
import { readAll } from "../../../plugins/pipelines/shared/models.ts";
import { scratch } from "../program.ts";
import { printed, refusal } from "./called.ts";
import { generatorFile, modelFolder, UNET, write } from "./files.ts";

const test = suite("examples/cli/models/convert");
const { path, remove } = scratch();
const base = path("base");
test.before(() => void modelFolder(base));
test.after(remove);

const unetOf = async (from: string) => ({
  ...(await readAll((await openModelParts(files, from)).parts.unet!.tensors)),
});

test("a folder as one file and back: the same numbers", async () => {
  assert.match(
    await printed("convert", base, path("sd.safetensors")),
    /one file with the original names, unet [\d,]+ par/,
  );
  assert.match(
    await printed("convert", path("sd.safetensors"), path("back")),
    /warning: a complete model has tokenizer too/,
  );
  assert.equal(await unetOf(path("back")), UNET);
});

test("one part, another type, a LoRA with a scale", async () => {
  await printed("convert", base, path("unet.safetensors"), "--part", "unet", "--dtype", "f16");
  const { tensors } = await openSafetensors(files, path("unet.safetensors"));
  assert.equal([...new Set(Object.values(tensors).map(({ dtype }) => dtype))], ["F16"]);
  assert.equal(Object.keys(tensors).sort(), Object.keys(UNET).sort());
  generatorFile(path("g.safetensors"), 4);
  await printed("export", path("g.safetensors"), path("l.safetensors"), "--to", "lora", "--lora-keys", "peft");
  const text = await printed("convert", base, path("merged"), "--lora", `${path("l.safetensors")}:0.5`);
  assert.match(text, /l\.safetensors: \d+ layers changed, scale 0\.5/);
  assert.not.equal((await unetOf(path("merged")))["conv_in.weight"], undefined);
});

if (hasGolden("edm_network_adm_expected"))
  test("a pickled network of EDM keeps what it was made with", async () => {
    const pickle = write(path("edm.pkl"), goldenBytes("edm_network_adm.pkl"));
    await printed("convert", pickle, path("edm.safetensors"));
    const [before, after] = [await openModelParts(files, pickle), await openModelParts(files, path("edm.safetensors"))];
    assert.equal(after.network, before.network);
    assert.equal({ ...(await readAll(after.parts.unet!.tensors)) }, { ...(await readAll(before.parts.unet!.tensors)) });
  });

test("tensors with NaN are converted as they are, and named", async () => {
  const values = Float32Array.from(UNET["conv_in.bias"].data as Float32Array);
  values[1] = Number.NaN;
  const odd = { ...UNET, "conv_in.bias": { ...UNET["conv_in.bias"], data: values } as (typeof UNET)[string] };
  const file = write(path("odd.safetensors"), encodeSafetensors(odd));
  const text = await printed("convert", file, path("odd-half.safetensors"), "--dtype", "f16");
  assert.match(text, /^warning: conv_in\.bias holds NaN or infinity, as in .*odd\.safetensors$/m);
  assert.ok(existsSync(path("odd-half.safetensors")));
});

test("names of no known network are kept when that is asked for", async () => {
  const file = write(path("model.bin"), goldenBytes("pytorch_model.bin"));
  assert.match(
    await refusal("convert", file, path("x.safetensors")),
    /no network that is known.*\nfix: .*--names kept/,
  );
  await printed("convert", file, path("x.safetensors"), "--names", "kept");
  assert.ok("model.layer0.weight" in (await openSafetensors(files, path("x.safetensors"))).tensors);
});

test("pickles that would run something, forms that are not written and parts that are not there are refused", async () => {
  const evil = write(path("evil.pt"), goldenBytes("malicious_system_zip.pt"));
  assert.match(await refusal("convert", evil, path("y.safetensors"), "--names", "kept"), /^error E_DATA: .*system/);
  assert.match(await refusal("convert", base, path("y.bin")), /pickle of PyTorch, which is read, not written/);
  assert.match(
    await refusal("convert", base, path("y.safetensors"), "--part", "transformer"),
    /it has unet, vae, text_encoder/,
  );
  assert.match(await refusal("convert", base, path("y.safetensors"), "--names", "diffusers"), /a file has one part/);
  assert.not.ok(existsSync(path("y.safetensors")));
  // --force takes neither what is read nor a folder of something else.
  assert.match(await refusal("convert", base, base, "--force"), /E_FILE.*is read for it/);
  assert.match(await refusal("convert", path("sd.safetensors"), path("."), "--force"), /E_FILE.*is read for it/);
  write(path("notes/todo.txt"), new Uint8Array(1));
  assert.match(await refusal("convert", base, path("notes"), "--force"), /E_FILE.*something else than a model/);
  assert.ok(existsSync(path("notes/todo.txt")));
  assert.equal(
    readdirSync(path(".")).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

test("inspect says what each of them is and what takes it", async () => {
  const says = async (file: string) => printed("inspect", file);
  assert.match(
    await says(base),
    /Stable Diffusion 1\.x, a folder for diffusers, predicts epsilon, scheduler PNDM[\s\S]*can't be drawn with: .*skip_prk_steps/,
  );
  await writeTinyModel(files, path("tiny"), { kind: "sd15" });
  const tiny = await says(path("tiny"));
  assert.match(tiny, /scheduler PNDM[\s\S]*draw with `npx --no-install onestep sample --model .*tiny --prompt/);
  assert.not.match(tiny, "can't");
  assert.match(
    await says(path("unet.safetensors")),
    /Stable Diffusion 1\.x\nunet [\d,]+ parameters \(F16\)[\s\S]*--base MODEL/,
  );
  assert.match(await says(path("l.safetensors")), /a LoRA of \d+ layers, rank 4, alpha 4, peft's keys[\s\S]*--lora/);
  assert.match(await says(path("g.safetensors")), /the generator of a run, 2 steps at timesteps 999, 499/);
});

test.run();
