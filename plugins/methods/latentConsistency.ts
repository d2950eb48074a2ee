import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * Latent consistency distillation with the rates of the public script; the cycle is that of consistency distillation. For a guided
 * model: `generator.guidanceMin` 6 and `guidanceMax` 16, which the script writes as 5 and 15, and `guidanceScale`.
 * Luo et al. 2023, arXiv:2310.04378; huggingface/diffusers, train_lcm_distill_sd_wds.py.
 */
export const latentConsistency: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "latent-consistency" },
  losses: { "latent-consistency": {} },
  optimizers: {
    generator: { use: "adamw", lr: 1e-4, warmup: 500, clip: 1 },
  },
  averages: {
    "generator/target": { use: "ema-constant", beta: 0.95 },
  },
});

/**
 * LCM-LoRA: only low-rank adapters learn, the network is told no scale, and the generator is its own target.
 * Luo et al. 2023, arXiv:2311.05556; huggingface/diffusers, train_lcm_distill_lora_sd_wds.py.
 */
export const latentConsistencyLora: Recipe = {
  ...latentConsistency,
  generator: { use: "latent-consistency", lora: { rank: 64, alpha: 64 } },
  losses: { "edm-denoising": {}, "latent-consistency": { target: "generator" } },
  averages: { teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 } },
};
