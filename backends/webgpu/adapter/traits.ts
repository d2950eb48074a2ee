import type { TriedMatrices } from "../subgroupMatrices.ts";
import type { Via } from "./candidate.ts";

/** Everything that the rest of the backend knows about a device: enough to choose kernels, check plans and tell the user. */
export interface DeviceTraits {
  /** Name for people: "llvmpipe", "SwiftShader", "nvidia geforce rtx 4090". */
  readonly name: string;
  /** Driver and version, where the implementation tells them; part of what a tuning cache is keyed by. */
  readonly driver: string;
  /** Maker in lower case: "nvidia", "amd", "intel", "apple", "mesa", "google", …. */
  readonly vendor: string;
  readonly architecture: string;
  /** WebGPU tells software from hardware; discrete or integrated is inferred from the names, else "unknown". */
  readonly type: "discrete" | "integrated" | "software" | "unknown";
  readonly software: boolean;
  /** True when kernels may use subgroup operations; the sizes are 0 when they may not. */
  readonly subgroups: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly f16: boolean;
  /** Subgroup matrices that were seen to compute as they should: at most one for each type of factors. */
  readonly matrices: readonly TriedMatrices[];
  /** Why there are no others. */
  readonly matricesProblem?: string;
  readonly timestamps: boolean;
  /** Largest storage-buffer binding in bytes. */
  readonly maxBinding: number;
  /** Largest buffer in bytes. */
  readonly maxBuffer: number;
  /** Storage buffers that one kernel can bind. */
  readonly maxStorageBuffers: number;
  /** Invocations of one workgroup. */
  readonly maxInvocations: number;
  /** Workgroup memory in bytes. */
  readonly workgroupMemory: number;
  /** Whether Dawn (npm `webgpu`) or the platform's own `navigator.gpu` opened it. */
  readonly via: Via;
}

/** What was found out about an adapter's subgroup matrices. */
export type MatrixTraits = Pick<DeviceTraits, "matrices" | "matricesProblem">;

/** What an adapter offers and an opened device grants have the same form. */
interface Offer {
  readonly features: GPUSupportedFeatures;
  readonly limits: GPUSupportedLimits;
}

/** Reads the traits of a device that was opened from `info`'s adapter, or those that an adapter offers. */
export function traitsOf(
  info: GPUAdapterInfo,
  offer: Offer,
  via: Via,
  matrices: MatrixTraits = { matrices: [] },
): DeviceTraits {
  const { features, limits } = offer;
  const vendor = vendors[info.vendor] ?? info.vendor.toLowerCase();
  const name = nameOf(info, vendor);
  const software = isSoftware(info);
  const subgroups = features.has("subgroups");
  return {
    name,
    driver: info.vendor === vendor ? info.description : "",
    vendor,
    architecture: info.architecture,
    type: software ? "software" : hardwareType(vendor, `${name} ${info.architecture}`),
    software,
    subgroups,
    subgroupMinSize: subgroups ? (info.subgroupMinSize ?? 0) : 0,
    subgroupMaxSize: subgroups ? (info.subgroupMaxSize ?? 0) : 0,
    f16: features.has("shader-f16"),
    ...matrices,
    timestamps: features.has("timestamp-query"),
    maxBinding: limits.maxStorageBufferBindingSize,
    maxBuffer: limits.maxBufferSize,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    workgroupMemory: limits.maxComputeWorkgroupStorageSize,
    via,
  };
}

/** Dawn's Null backend accepts every command and computes nothing. */
export function isNullBackend(info: GPUAdapterInfo): boolean {
  return /^null[- ]backend$/i.test(info.device);
}

/** Deno gives vendors as PCI or Vulkan numbers. */
const vendors: Record<string, string> = {
  4098: "amd",
  4203: "apple",
  4318: "nvidia",
  5045: "arm",
  5140: "microsoft",
  6880: "google",
  20803: "qualcomm",
  32902: "intel",
  65541: "mesa",
};

/** Names under which CPUs appear as adapters; WARP calls itself Microsoft Basic Render Driver. */
const cpuNames = { llvmpipe: "llvmpipe", swiftshader: "SwiftShader", "basic render": "WARP" };

/** Whether an adapter is a CPU. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter === true || cpuName(info) !== undefined;
}

function cpuName(info: GPUAdapterInfo): string | undefined {
  const text = `${info.device} ${info.description} ${info.architecture}`.toLowerCase();
  return Object.entries(cpuNames).find(([key]) => text.includes(key))?.[1];
}

function nameOf(info: GPUAdapterInfo, vendor: string): string {
  // Dawn puts a slug of the device's name in `device`, Deno its number there and the name in `description`.
  const device = /^\d+$/.test(info.device) ? info.description : words(info.device);
  const known = cpuName(info) ?? device;
  return known || words(`${vendor} ${info.architecture}`) || info.description || "unnamed adapter";
}

/** A slug as words: "nvidia-geforce-rtx-4090" reads "nvidia geforce rtx 4090". */
function words(slug: string): string {
  return slug.replaceAll("-", " ").trim();
}

function hardwareType(vendor: string, text: string): DeviceTraits["type"] {
  if (vendor === "nvidia") return /tegra|orin|xavier|thor/i.test(text) ? "integrated" : "discrete";
  if (vendor === "intel") return /\barc\b|\bhpg\b/i.test(text) ? "discrete" : "integrated";
  if (vendor === "amd") return /\brx\b|instinct|radeon pro/i.test(text) ? "discrete" : "unknown";
  return ["apple", "arm", "qualcomm", "img tec"].includes(words(vendor)) ? "integrated" : "unknown";
}
