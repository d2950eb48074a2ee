import type { WebGpuOptions } from "../../../../backends/webgpu/mod.ts";
import { testBackend } from "../../../helpers/kernelHarness.ts";

/** One choice of variants for all ops under test: one device, whose pipelines the tests of a file share. */
export interface Profile {
  readonly name: string;
  readonly options: WebGpuOptions;
  readonly has: (op: string) => boolean;
}

/** Whether the test device runs kernels for subgroups of 8 lanes; the others run everywhere. */
export async function profiles(): Promise<Profile[]> {
  const { traits } = await testBackend();
  const lanesOf8 = traits.subgroupMinSize === 8 && traits.subgroupMaxSize === 8;
  if (!lanesOf8) console.log(`no subgroups of 8 lanes on ${traits.name}: those variants are not tested`);
  return [
    ...(lanesOf8 ? [profile("subgroup8", subgroup8)] : []),
    profile("portable", portable),
    // As on hardware: some variants stand aside on software adapters, where they would be slow.
    profile("hardware", hardware, { traits: { software: false } }),
  ];
}

const profile = (name: string, variants: Readonly<Record<string, string>>, more: WebGpuOptions = {}): Profile => ({
  name,
  options: { ...more, variants },
  has: (op) => op in variants,
});

const subgroup8 = {
  attention: "subgroup8",
  attentionGrad: "subgroup8",
  conv2d: "subgroup8",
  conv2dInputGrad: "subgroup8",
  conv2dWeightGrad: "subgroup8",
  groupNormalize: "subgroup8",
  groupNormalizeGrad: "subgroup8",
  matmul: "subgroup8",
  normalize: "subgroup8",
  normalizeGrad: "subgroup8",
  softmax: "subgroup8",
  sum: "subgroup8",
};

const portable = {
  attention: "products",
  attentionGrad: "products",
  conv2d: "registers",
  conv2dInputGrad: "registers",
  conv2dWeightGrad: "registers",
  groupNormalize: "workgroup",
  groupNormalizeGrad: "workgroup",
  matmul: "registers",
  max: "lanes",
  normalize: "workgroup",
  normalizeGrad: "workgroup",
  softmax: "workgroup",
  sum: "lanes",
};

const hardware = {
  attention: "online",
  attentionGrad: "tiles",
  conv2d: "tiles",
  conv2dInputGrad: "tiles",
  conv2dWeightGrad: "tiles",
  matmul: "tiles",
  sum: "workgroup",
};
