import { conv, type Scope } from "../../../core/nn/mod.ts";
import { add, clamp, mul, relu, tanh, upsampleNearest } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Sizes of one half of an `AutoencoderTiny`, by the names of its `config.json`. */
export interface AutoencoderTinyHalf {
  /** `encoder_block_out_channels` or `decoder_block_out_channels`: widths of the stages in order. */
  readonly channels: readonly number[];
  /** `num_encoder_blocks` or `num_decoder_blocks`: residual blocks of each stage. */
  readonly blocks: readonly number[];
}

/** Latents are used up to about this value on either side: `latent_magnitude`. */
const MAGNITUDE = 3;

/**
 * Pictures [B, C, H, W] in [-1, 1] → latents [B, channels, H/2ⁿ, W/2ⁿ] with n one less than the stages. Parameters have the
 * names of diffusers' `AutoencoderTiny`. Bohan 2023, github.com/madebyollin/taesd.
 */
export function encodeTiny(scope: Scope, x: Tensor, latentChannels: number, half: AutoencoderTinyHalf): Tensor {
  const layers = scope.at("encoder").at("layers");
  let at = 0;
  let h = mul(add(x, 1), 0.5);
  for (const [stage, channels] of half.channels.entries()) {
    const options = stage === 0 ? {} : { stride: 2, bias: false };
    h = conv(layers.at(at++), h, channels, options);
    for (let i = 0; i < half.blocks[stage]; i++) h = tinyBlock(layers.at(at++), h, channels);
  }
  return conv(layers.at(at), h, latentChannels);
}

/** Latents [B, L, h, w] → pictures [B, channels, h·2ⁿ, w·2ⁿ], about [-1, 1]. Latents beyond ±3 are bent back by tanh. */
export function decodeTiny(scope: Scope, z: Tensor, pictureChannels: number, half: AutoencoderTinyHalf): Tensor {
  const layers = scope.at("decoder").at("layers");
  const bent = mul(tanh(mul(z, 1 / MAGNITUDE)), MAGNITUDE);
  let h = relu(conv(layers.at(0), bent, half.channels[0]));
  let at = 2;
  for (const [stage, channels] of half.channels.entries()) {
    for (let i = 0; i < half.blocks[stage]; i++) h = tinyBlock(layers.at(at++), h, channels);
    const isLast = stage === half.channels.length - 1;
    if (!isLast) {
      h = upsampleNearest(h, { factor: 2 });
      at++; // upsampling is a layer without parameters
    }
    h = conv(layers.at(at++), h, isLast ? pictureChannels : channels, { bias: isLast });
  }
  return add(mul(h, 2), -1);
}

/** Latents as values of a picture, 0 to 1: z/(2·3) + 1/2, clamped. */
export const tinyLatentsAsPicture = (z: Tensor): Tensor =>
  clamp(add(mul(z, 1 / (2 * MAGNITUDE)), 0.5), { min: 0, max: 1 });

/** y = relu(x + conv4(relu(conv2(relu(conv0(x)))))), with a 1 × 1 convolution of x where channels change. */
function tinyBlock(scope: Scope, x: Tensor, channels: number): Tensor {
  const layer = (i: number, h: Tensor) => conv(scope.at("conv").at(i), h, channels);
  const y = layer(4, relu(layer(2, relu(layer(0, x)))));
  const skip = x.shape[1] === channels ? x : conv(scope.at("skip"), x, channels, { kernel: 1, bias: false });
  return relu(add(y, skip));
}
