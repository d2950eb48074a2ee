// What pretrained models and metrics are made of: text and image towers, autoencoders, checkpoints, resizing, scores.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { decodeTorch } from "../../../core/io/mod.ts";
import { conforms, goldenBytes, goldenNames, goldenSet } from "../../helpers/golden.ts";

const test = suite("test/conformance/kinds (pretrained models, metrics)");

const named = (...prefixes: string[]) => prefixes.flatMap((prefix) => goldenNames(prefix));
const onTheHost = named("pil_", "cleanfid_", "frechet_", "kid", "precision_", "inception_score", "clip_tok");
const onDevices = [
  ...named("clip_text", "clip_vision", "sdxl_text", "vae_"),
  ...goldenNames("").filter((name) => name.endsWith("_expected")),
];

const wasm = await WasmBackend.open();
for (const name of [...onTheHost, ...onDevices, ...named("inception_fid")])
  test(`${name}: within tolerance`, async () => void (await conforms(name, wasm)));

const gpu = await WebGpuBackend.open({});
for (const name of onDevices) test(`${name} on webgpu: within tolerance`, async () => void (await conforms(name, gpu)));

for (const file of goldenSet.hostile.filter((file) => !file.includes(".safetensors")))
  test(`${file} is refused`, async () => {
    const read = async () => {
      for (const tensor of Object.values((await decodeTorch(goldenBytes(file), file)).tensors)) await tensor.read();
    };
    const error = await read().then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.instance(error, OnestepError);
    assert.match((error as Error).message, file);
  });

test.after(async () => {
  await wasm.close();
  await gpu.close();
});

test.run();
