import { type Token, token } from "../di/token.ts";
import type { Scope } from "../nn/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";

/** The raw network F inside a denoiser's preconditioning. */
export interface Network {
  /** F(x; cNoise). x [B, …] scaled to unit variance, cNoise [B] → [B, …]. */
  apply(scope: Scope, x: Tensor, cNoise: Tensor, condition: Condition): Tensor;
  /** What a discriminator reads: the encoder's last activation, [B, C, H, W] or [B, D]. */
  features(scope: Scope, x: Tensor, cNoise: Tensor, condition: Condition): Tensor;
  /** Whether it has been trained to do without a class as well, so that guidance has something to lead away from. */
  readonly knowsNoClass?: boolean;
  /** The activation after the blocks between encoder and decoder, for networks that have such blocks. */
  middle?(scope: Scope, x: Tensor, cNoise: Tensor, condition: Condition): Tensor;
}

/** The network whose parameters each role has its own of. */
export const NETWORK: Token<Network> = token<Network>("network");
