import type { DeviceTraits } from "../adapter/traits.ts";

/**
 * Whether kernels of one subgroup of 8 lanes run well: on software adapters, whose lanes are those of a CPU's vectors.
 * On wider subgroups 8 invocations would leave most lanes idle.
 */
export const hasLanesOf8 = ({ subgroups, subgroupMinSize, subgroupMaxSize }: DeviceTraits): boolean =>
  subgroups && subgroupMinSize === 8 && subgroupMaxSize === 8;

/**
 * Whether kernels that share tiles through workgroup memory run well: on hardware. Software adapters run the barriers of
 * a workgroup as coroutines, and read its memory no faster than any other.
 */
export const hasTiles = ({ software, maxInvocations }: DeviceTraits): boolean => !software && maxInvocations >= 256;
