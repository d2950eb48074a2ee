/** What is measured. Names are what `--only` looks at and what stands in the JSON. */
export interface Case {
  readonly name: string;
  /** Floating-point operations of one call, where the case is about them. */
  readonly flops?: number;
  /** Checked against the known losses of the bench U-Net. */
  readonly gated?: boolean;
  /** Only our own engine has it. */
  readonly own?: boolean;
  /** The first step of `unet step`, in a process of its own, with an empty cache of shaders or the one just filled. */
  readonly first?: "cold" | "warm";
}

const CONV = 2 * 16 * 64 * 64 * 9 * 32 * 32;
const ATTENTION = 4 * 8 * 4 * 256 * 256 * 32;
const UNET = 4.63e9;
/** Of the convolutions of 50 pictures. */
const INCEPTION = 50 * 11.42e9;

export const cases: readonly Case[] = [
  ...[256, 512, 1024].map((n) => ({ name: `matmul ${n}`, flops: 2 * n ** 3 })),
  { name: "conv forward", flops: CONV },
  { name: "conv backward", flops: 3 * CONV },
  { name: "groupnorm silu" },
  { name: "groupnorm silu backward" },
  { name: "attention", flops: ATTENTION },
  { name: "attention backward", flops: 3 * ATTENTION },
  { name: "elementwise" },
  { name: "adam 5M" },
  { name: "unet forward", flops: UNET },
  { name: "unet step", flops: 3 * UNET, gated: true },
  { name: "inception", flops: INCEPTION },
  { name: "dmd2 forward", own: true },
  { name: "dmd2 iteration", own: true },
  { name: "frechet 2048", own: true },
  { name: "unet first step cold", first: "cold" },
  { name: "unet first step warm", first: "warm" },
];
