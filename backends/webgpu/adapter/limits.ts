/** A default device has the specification's minimum; kernels and plans want all the adapter has of these. */
const limitNames = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxUniformBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies (keyof GPUSupportedLimits)[];

/** Kernel variants and the profiler use these when they are there; nothing needs them. */
const featureNames: GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];

/**
 * The feature that kernels on subgroup matrices need. Dawn offers it where `allow_unsafe_apis` is on; see dawn.ts. It is
 * left out of the features above: it is asked for only where it was seen to work.
 */
export const MATRICES = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

/** The device to ask an adapter for: its own maximum of every limit that matters, each useful feature it has. */
export function deviceRequest(adapter: GPUAdapter, matrices: boolean): GPUDeviceDescriptor {
  const limits = limitNames.map((name) => [name, adapter.limits[name]] as const);
  return {
    label: "onestep",
    requiredFeatures: [...featureNames, ...(matrices ? [MATRICES] : [])].filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(limits.filter(([, value]) => value !== undefined)),
  };
}
