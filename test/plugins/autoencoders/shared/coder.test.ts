import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import type { Autoencoder } from "../../../../core/interfaces/mod.ts";
import { frozenWeights } from "../../../../core/nn/mod.ts";
import { averageDown, mul, upsampleNearest } from "../../../../core/ops/mod.ts";
import { Coder } from "../../../../plugins/autoencoders/shared/coder.ts";
import { tiledAxis, tileShares } from "../../../../plugins/autoencoders/shared/tiles.ts";
import { rejected } from "../../../helpers/thrown.ts";
import { numbers } from "../../support.ts";

const test = suite("plugins/autoencoders/shared/coder");
const backend = await WasmBackend.open();
test.after(() => backend.close());

/** Looks at each place alone: tiles or not, the result is the same. */
const local: Autoencoder = {
  name: "local",
  channels: { picture: 3, latent: 3 },
  factor: 2,
  tile: 8,
  bind: () => ({
    encode: (x) => ({ mean: averageDown(x, { factor: 2 }), deviation: mul(averageDown(x, { factor: 2 }), 2) }),
    decode: (z) => upsampleNearest(z, { factor: 2 }),
  }),
  load: async () => frozenWeights("local", () => {}, {}, "nowhere"),
};

test("tiles cover every place, share a quarter or more, and count 1 together", () => {
  for (const [length, size] of [
    [8, 8],
    [9, 8],
    [23, 8],
    [5, 8],
    [128, 96],
    [97, 96],
  ]) {
    const axis = tiledAxis(length, size);
    const total = new Float64Array(2 * length);
    for (const [i, share] of tileShares(axis, 2).entries())
      for (const [p, value] of share.entries()) total[2 * axis.starts[i] + p] += value;
    assert.ok(
      total.every((value) => Math.abs(value - 1) < 1e-6),
      `${length} in tiles of ${size}`,
    );
    for (let i = 1; i < axis.starts.length; i++)
      assert.ok(axis.starts[i - 1] + size - axis.starts[i] >= size / 4, `${length} in tiles of ${size}`);
  }
});

test("pictures in tiles are those computed whole, where a place looks at itself alone", async () => {
  const size = { width: 46, height: 34 };
  for (const half of ["encoder", "decoder"] as const) {
    const x = numbers([2, 3, size.height / (half === "encoder" ? 1 : 2), size.width / (half === "encoder" ? 1 : 2)]);
    const [whole, tiled] = await Promise.all([
      Coder.open(backend, local, { half, size, tile: 64 }),
      Coder.open(backend, local, { half, size }),
    ]);
    assert.is(whole.tiles, 1);
    assert.is(tiled.tiles, 3 * 4);
    const paced: number[] = [];
    const [expected, found] = [await whole.run(x), await tiled.run(x, async (done) => void paced.push(done))];
    assert.equal(
      paced,
      Array.from({ length: 24 }, (_, i) => i),
    );
    assert.equal(Object.keys(found), half === "encoder" ? ["mean", "deviation"] : ["x"]);
    for (const [name, values] of Object.entries(expected))
      assert.ok(
        values.every((value, i) => Math.abs(value - found[name][i]) < 1e-6),
        `${half}: ${name}`,
      );
    whole.dispose();
    tiled.dispose();
  }
});

test("open: sides that can't be halved are refused", async () => {
  const error = await rejected(Coder.open(backend, local, { half: "decoder", size: { width: 47, height: 34 } }));
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /on pictures of 47 × 34: sides should be multiples of 2/);
});

test.run();
