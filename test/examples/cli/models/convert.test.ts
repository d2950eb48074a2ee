import { existsSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../../backends/host/files.ts";
import { openSafetensors } from "../../../../core/io/mod.ts";
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
    /Stable Diffusion 1\.x, a folder for diffusers, predicts epsilon, scheduler PNDM[\s\S]*sample --model/,
  );
  assert.match(
    await says(path("unet.safetensors")),
    /Stable Diffusion 1\.x\nunet [\d,]+ parameters \(F16\)[\s\S]*--base MODEL/,
  );
  assert.match(await says(path("l.safetensors")), /a LoRA of \d+ layers, rank 4, alpha 4, peft's keys[\s\S]*--lora/);
  assert.match(await says(path("g.safetensors")), /the generator of a run, 2 steps at timesteps 999, 499/);
});

test.run();
