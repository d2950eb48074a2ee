import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { parseOptions } from "../../../core/plugin/mod.ts";
import { klOf, klOptions } from "../../../plugins/autoencoders/kl.ts";
import { rejected } from "../../helpers/thrown.ts";

const test = suite("plugins/autoencoders/kl");

const never = () => Promise.reject(new Error("weights are not read"));
const defaults = parseOptions("kl", klOptions);

test("it is Stable Diffusion's: an eighth of the size, 83,653,863 parameters in two halves", () => {
  const { bind, factor, channels } = klOf(defaults, never);
  assert.is(factor, 8);
  assert.equal(channels, { picture: 3, latent: 4 });
  const encoder = layoutOf((scope) => void bind(scope).encode(input("x", [1, 3, 64, 64])));
  const decoder = layoutOf((scope) => {
    assert.equal(bind(scope).decode(input("z", [2, 4, 8, 6])).shape, [2, 3, 64, 48]);
  });
  assert.is(encoder.count + decoder.count, 83_653_863);
});

test("load: weights of one half only are read, and a missing one is named", async () => {
  const { load } = klOf(defaults, async () => ({ from: "vae.safetensors", tensors: {} }));
  const error = await rejected(load("decoder"));
  assert.is(error.code, "E_CHECKPOINT");
  assert.match(
    error.message,
    /^Cannot load kl decoder from vae\.safetensors: 1\d\d names do not fit .*missing post_quant/,
  );
  assert.not.match(error.message, /missing encoder/);
});

test.run();
