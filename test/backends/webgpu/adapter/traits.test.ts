import { test } from "uvu";
import * as assert from "uvu/assert";
import { isNullBackend, traitsOf } from "../../../../backends/webgpu/adapter/traits.ts";

const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 27 };

function traits(given: Partial<GPUAdapterInfo>, features: string[] = []) {
  const info = { vendor: "", architecture: "", device: "", description: "", ...given };
  const offer = { features: new Set(features), limits } as unknown as GPUAdapter;
  return traitsOf(info as GPUAdapterInfo, offer, "dawn");
}

const cases: [Partial<GPUAdapterInfo>, string, string][] = [
  [{ vendor: "nvidia", device: "nvidia-geforce-rtx-4090" }, "nvidia geforce rtx 4090", "discrete"],
  [{ vendor: "4318", device: "9860", description: "NVIDIA H200" }, "NVIDIA H200", "discrete"],
  [{ vendor: "apple", architecture: "metal-3" }, "apple metal 3", "integrated"],
  [{ vendor: "intel", device: "intel-r-arc-tm-a770" }, "intel r arc tm a770", "discrete"],
  [{ vendor: "intel", architecture: "gen-12lp" }, "intel gen 12lp", "integrated"],
  [{ vendor: "amd", device: "amd-radeon-rx-7900-xtx-radv-" }, "amd radeon rx 7900 xtx radv", "discrete"],
  [{ vendor: "amd", device: "amd-radeon-graphics" }, "amd radeon graphics", "unknown"],
  [{ vendor: "mesa", device: "llvmpipe-llvm-15-0-6-256-bits-" }, "llvmpipe", "software"],
  [{ vendor: "6880", device: "49374", description: "SwiftShader Device (Subzero)" }, "SwiftShader", "software"],
  [{ vendor: "google", architecture: "swiftshader" }, "SwiftShader", "software"],
  [{ description: "Microsoft Basic Render Driver", isFallbackAdapter: true }, "WARP", "software"],
  [{}, "unnamed adapter", "unknown"],
];

for (const [info, name, type] of cases)
  test(`names ${JSON.stringify(info)}`, () => {
    const found = traits(info);
    assert.is(found.name, name);
    assert.is(found.type, type);
    assert.is(found.software, type === "software");
  });

test("subgroup sizes are told only where kernels may use subgroups", () => {
  const sizes = { subgroupMinSize: 8, subgroupMaxSize: 16 };
  assert.is(traits(sizes).subgroupMaxSize, 0);
  const { subgroups, subgroupMinSize, subgroupMaxSize, f16 } = traits(sizes, ["subgroups"]);
  assert.equal({ subgroups, subgroupMinSize, subgroupMaxSize, f16 }, { subgroups: true, ...sizes, f16: false });
});

test("Dawn's Null backend is recognised", () => {
  assert.ok(isNullBackend({ device: "null-backend" } as GPUAdapterInfo));
  assert.not(isNullBackend({ device: "nvidia-h200" } as GPUAdapterInfo));
});

test.run();
