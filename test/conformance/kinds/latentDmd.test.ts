import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { conforms, goldenNames, goldenSet } from "../../helpers/golden.ts";
import { Unsupported } from "../kind.ts";
import { unet2dOf } from "../unet2dConfig.ts";
import { kinds } from "./mod.ts";

const test = suite("examples/cli/conformance/kinds (U-Net of diffusers, DMD2's latent recipe)");

const names = goldenNames("sd_").concat(
  goldenNames("sdxl_").filter((name) => !name.includes("text_encoder")),
);

test("every case of the recipe has its kind", () => {
  for (const name of names) {
    const entry = goldenSet.entries.find(({ file }) => file === `${name}.safetensors`)!;
    assert.is(kinds.find((kind) => kind.matches(entry))?.name, "latent dmd2", name);
  }
});

// On the oracle a case of SDXL takes seconds, so it has the small ones.
const backends = [
  {
    open: async () => new ReferenceBackend(),
    cases: names.filter((name) => name.startsWith("sd_")),
  },
  { open: () => WasmBackend.open(), cases: [...names, ...goldenNames("unet_")] },
  { open: () => WebGpuBackend.open({}), cases: [...names, ...goldenNames("unet_")] },
];
for (const { open, cases } of backends) {
  const backend = await open();
  for (const name of cases)
    test(`${name} on ${backend.info.backend}: within tolerance`, async () => {
      await conforms(name, backend);
    });
  test(`close ${backend.info.backend}`, () => backend.close());
}

test("a network with settings that ours lacks is not run under other ones", () => {
  const small = { block_out_channels: [8], down_block_types: ["DownBlock2D"] };
  for (const setting of [
    { act_fn: "gelu" },
    { class_embed_type: "timestep" },
    { resnet_time_scale_shift: "scale_shift" },
    { addition_embed_type: "image" },
  ])
    assert.throws(
      () => unet2dOf({ ...small, ...setting }),
      (error: unknown) => error instanceof Unsupported,
    );
  unet2dOf({ ...small, act_fn: "silu", dropout: 0, class_embed_type: null });
});

test.run();
