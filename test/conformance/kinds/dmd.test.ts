import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { conforms, goldenNames, goldenSet } from "../../helpers/golden.ts";
import { Unsupported } from "../kind.ts";
import { refuseUnread, watched } from "../settings.ts";
import { unet2dOf } from "../unet2dConfig.ts";
import { kinds } from "./mod.ts";

const test = suite("test/conformance/kinds (DMD2, U-Net of diffusers)");

const latent = goldenNames("sd_").concat(goldenNames("sdxl_").filter((name) => !name.includes("text_encoder")));
const pixels = goldenNames("dmd_");

test("every case of a recipe has its kind", () => {
  for (const name of [...pixels, ...latent]) {
    const entry = goldenSet.entries.find(({ file }) => file === `${name}.safetensors`)!;
    const expected = name.startsWith("dmd_traj") ? "dmd trajectory" : "dmd2";
    assert.is(kinds.find((kind) => kind.matches(entry))?.name, expected, name);
  }
});

// On the oracle a case of SDXL takes seconds, and the tests of the losses run those of EDM's recipe.
const everywhere = [...pixels, ...latent, ...goldenNames("unet_")];
const backends = [
  {
    open: async () => new ReferenceBackend(),
    cases: latent.filter((name) => name.startsWith("sd_")),
  },
  { open: () => WasmBackend.open(), cases: everywhere },
  { open: () => WebGpuBackend.open({}), cases: everywhere },
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
  const small = { block_out_channels: [8], down_block_types: ["DownBlock2D"], norm_num_groups: 8 };
  const read = (setting: object) => {
    const config = watched({ ...small, ...setting });
    unet2dOf(config);
    refuseUnread(config);
  };
  for (const setting of [
    { act_fn: "gelu" },
    { class_embed_type: "timestep" },
    { resnet_time_scale_shift: "scale_shift" },
    { addition_embed_type: "image" },
  ])
    assert.throws(
      () => read(setting),
      (error: unknown) => error instanceof Unsupported,
    );
  read({ act_fn: "silu", dropout: 0, class_embed_type: null });
});

test.run();
