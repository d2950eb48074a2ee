export { adviceFor } from "./adapter/advice.ts";
export { type AdapterEntry, listAdapters, type OpenOptions } from "./adapter/open.ts";
export type { DeviceTraits } from "./adapter/traits.ts";
export { WebGpuBackend, type WebGpuOptions } from "./backend.ts";
export type { Dispatch, DispatchList } from "./dispatch.ts";
export type { ExecutableStats, WebGpuExecutable } from "./executable.ts";
export { grid } from "./grid.ts";
export type { DimValue, KernelPlan, KernelVariant, Lowering, Pass } from "./kernel.ts";
export type { ForcedVariants } from "./variants.ts";
