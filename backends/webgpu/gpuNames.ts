// biome-ignore-all lint/suspicious/noEmptyInterface: they merge with those of the DOM library, and add nothing to them.
/**
 * The names of WebGPU that our declarations mention, for programs that compile without the DOM library: there they stand for
 * anything, and where it is they are its own.
 */
declare global {
  interface GPUAdapter {}
  interface GPUAdapterInfo {}
  interface GPUBindGroupLayout {}
  interface GPUBuffer {}
  interface GPUCommandEncoder {}
  interface GPUComputePipeline {}
  interface GPUDevice {}
  interface GPUSupportedFeatures {}
  interface GPUSupportedLimits {}
}

export {};
