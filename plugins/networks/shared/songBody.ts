import type { NoiseSource } from "../../../core/diffusion/mod.ts";
import { blockOf } from "../../../core/graph/mod.ts";
import {
  type BlockStyle,
  conv,
  groupNorm,
  resampled,
  type Scope,
  unetBlock,
  unetGroups,
} from "../../../core/nn/mod.ts";
import { add, concat, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { PlannedBlock, UnetPlan } from "./unetPlan.ts";

/** Everything but the image that SongUNet's encoder and decoder need. */
export interface SongBody {
  readonly model: Scope;
  /** [B, E] */
  readonly emb: Tensor;
  readonly plan: UnetPlan;
  readonly style: BlockStyle;
  readonly options: {
    readonly encoder: "standard" | "skip" | "residual";
    readonly decoder: "standard" | "skip";
  };
  readonly draws: NoiseSource | undefined;
}

/** The last activation, and all of them, first to last, for the decoder. */
export interface SongEncoded {
  readonly x: Tensor;
  readonly skips: readonly Tensor[];
}

/**
 * The blocks on the way down, with the image itself led in after every halving:
 *   skip      aux = down(aux),  x = x + conv1×1(aux)
 *   residual  x = aux = (x + down(conv3×3(aux)))/√2
 * image [B, C, R, R] → [B, C', r, r].
 */
export function songEncoder(body: SongBody, image: Tensor): SongEncoded {
  const { plan, emb, style, draws, options } = body;
  const scope = body.model.at("enc");
  const { resampleFilter: filter, init } = style;
  const skips = [conv(scope.at(plan.first.name), image, plan.first.channels, { init })];
  let aux = image;
  for (const block of plan.encoder) {
    let x = skips[skips.length - 1];
    x = blockOf(() => unetBlock(scope.at(block.name), x, emb, block, style, draws));
    if (block.resample === "down" && options.encoder === "skip") {
      aux = resampled(scope.at(`${block.at}_aux_down`), aux, "down", { filter });
      const layer = scope.at(`${block.at}_aux_skip`);
      x = add(x, conv(layer, aux, block.channels, { kernel: 1, init }));
    }
    if (block.resample === "down" && options.encoder === "residual") {
      const led = fusedDown(scope.at(`${block.at}_aux_residual`), aux, block, style);
      x = aux = mul(add(x, led), Math.SQRT1_2);
    }
    skips.push(x);
  }
  return { x: skips[skips.length - 1], skips };
}

/** Convolution, then resampling, with the zeros that both need around the image put there once, before the convolution. */
function fusedDown(scope: Scope, x: Tensor, { channels }: PlannedBlock, style: BlockStyle): Tensor {
  const { resampleFilter: filter, init } = style;
  const padding = 1 + Math.floor((filter.length - 1) / 2);
  return resampled(scope, conv(scope, x, channels, { padding, init }), "down", {
    filter,
    padding: 0,
  });
}

/**
 * The blocks on the way up. The output is conv3×3(silu(norm(x))) at the highest resolution, or with decoder "skip" the sum
 * of that at every resolution, doubled on the way: out = up(out) + conv3×3(silu(norm(x))). → [B, channels, R, R].
 */
export function songDecoder(
  { model, plan, emb, style, draws, options }: SongBody,
  encoded: SongEncoded,
  channels: number,
): Tensor {
  const scope = model.at("dec");
  const waiting = [...encoded.skips];
  const { resampleFilter: filter, lastInit, eps } = style;
  const [highest] = plan.decoder.slice(-1);
  let { x } = encoded;
  let out: Tensor | undefined;
  for (const block of plan.decoder) {
    const h = x;
    x = blockOf(() => {
      const joined = block.joins ? concat([h, waiting.pop()!], 1) : h;
      return unetBlock(scope.at(block.name), joined, emb, block, style, draws);
    });
    if (!block.last || (options.decoder === "standard" && block !== highest)) continue;
    if (out) out = resampled(scope.at(`${block.at}_aux_up`), out, "up", { filter });
    const normed = groupNorm(scope.at(`${block.at}_aux_norm`), x, unetGroups(x.shape[1]), eps, {
      activation: "silu",
    });
    const own = conv(scope.at(`${block.at}_aux_conv`), normed, channels, { init: lastInit });
    out = out ? add(out, own) : own;
  }
  return out!;
}
