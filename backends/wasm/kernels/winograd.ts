import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, type Call, grainOf, type KernelPlan, own, temp } from "../kernel.ts";
import { kindOf } from "../widening.ts";
import { type ConvGeometry, evenPart, FLOPS, panelsOf, roundUp } from "./convolution.ts";

/** Outputs of a tile along an axis. */
const TILE = 4;
/** Values of a transformed tile, and elements between the matrices that they form: see assembly/lib/winogradTransform.ts. */
const MATRICES = 36;
const MATRIX_PAD = 16;
/** Tiles transformed and multiplied at a time: one wide register tile, or two narrow ones. */
const BLOCK_TILES = 16;
/** The same for the gradient of weights, where sums are read and written once in so many tiles. */
const GRAD_BLOCK_TILES = 32;
/** Longest sum over channels: parts of it, added, round less. */
const MAX_SUM = 128;
/** Elements of transformed weights, 4 MB: those of more outputs are made, and used, one part after another. */
const MAX_WEIGHTS = 1 << 20;
/** Panels of outputs of an item: 36 sums for each of 16 tiles, 590 KB, stay in the second-level cache. */
const MAX_PANELS = 42;
/** Fewest panels of an item: each item transforms its tiles anew. */
const MIN_PANELS = 4;
/** Independent items to aim for. */
const ITEMS = 16;
/** Channels and outputs of an item of the gradient of weights: its sums take 590 KB. */
const GRAD_BLOCK = 64;
/** Fewest blocks of tiles of an item: the last transform costs as much as multiplying 3 tiles, or 6 wide ones. */
const GRAD_MIN_BLOCKS = 2;
/** Elements of partial gradients, over all chunks of the batch. */
const MAX_PARTIAL = 5 << 16;

/** Fewest channels to transform, products of channels and outputs, and tiles, for which transforms cost less than they save. */
const MIN_CHANNELS = 8;
const MIN_PRODUCTS = 64;
const MIN_TILES = 16;

const tilesOf = (B: number, height: number, width: number): number =>
  B * Math.ceil(height / TILE) * Math.ceil(width / TILE);

/**
 * Which way a convolution or one of its gradients is computed; for the input gradient the outputs are the pixels of x.
 * Winograd where it needs less than half the multiplications and enough of them share the transforms.
 */
export function convVariant(
  op: "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad",
  g: ConvGeometry,
): "winograd" | "direct" {
  const { B, C, O, R, S, H, W, OH, OW, stride, padding } = g;
  const [down, across] = op === "conv2dInputGrad" ? [H, W] : [OH, OW];
  const tiles = tilesOf(B, down, across);
  const suits =
    R === 3 &&
    S === 3 &&
    stride.every((n) => n === 1) &&
    padding.every((n) => n <= 2) &&
    Math.min(W, OW) >= TILE &&
    (op === "conv2dInputGrad" ? O : C) >= MIN_CHANNELS &&
    C * O >= MIN_PRODUCTS &&
    tiles >= MIN_TILES &&
    9 * B * down * across >= 2 * MATRICES * tiles;
  return suits ? "winograd" : "direct";
}

/** Elements of a row of a patch of so many tiles, with margins; patches that a block of tiles may consist of. */
function rowsOf(blockTiles: number, across: number): { pitch: number; runs: number } {
  const tiles = Math.ceil(across / TILE);
  return {
    pitch: TILE * Math.min(blockTiles, tiles) + 8,
    runs: Math.min(blockTiles, Math.ceil((blockTiles - 1) / tiles) + 1),
  };
}

/** y = weight ⋆ x, or dx from dy with the weights turned by half a turn. */
export function winogradConv(from: Tensor, weight: Tensor, to: Tensor, g: ConvGeometry, turned: boolean): KernelPlan {
  const [B, K, H, W] = from.shape;
  const [, M, OH, OW] = to.shape;
  const [padH, padW] = g.padding.map((n) => (turned ? 2 - n : n));
  const tiles = tilesOf(B, OH, OW);
  const blocks = Math.ceil(tiles / BLOCK_TILES);
  const { pitch, runs } = rowsOf(BLOCK_TILES, OW);
  const cut = evenPart(K, MAX_SUM);
  const part = evenPart(M, Math.max(6 * MIN_PANELS, Math.floor(MAX_WEIGHTS / (MATRICES * K))));
  const panels = panelsOf(part);
  const shares = Math.ceil(ITEMS / blocks);
  const itemPanels = Math.min(MAX_PANELS, Math.max(MIN_PANELS, Math.ceil(panels.count / shares)));

  const calls = Array.from({ length: Math.ceil(M / part) }, (_, i): Call[] => {
    const first = i * part;
    const rows = Math.min(part, M - first);
    const items = Math.ceil(panelsOf(rows).count / itemPanels);
    return [
      turned
        ? {
            fn: "winogradInputWeights",
            args: [at(weight), temp(0), own, K, M, first, rows],
            items: Math.ceil(rows / 12),
            grain: grainOf(120 * K),
          }
        : {
            fn: "winogradWeights",
            args: [at(weight), temp(0), own, K, first, rows, kindOf(weight)],
            items: panelsOf(rows).count,
            grain: grainOf(60 * K),
          },
      {
        fn: "winogradForward",
        args: [
          at(from),
          temp(0),
          at(to),
          own,
          B,
          K,
          H,
          W,
          M,
          OH,
          OW,
          padH,
          padW,
          first,
          rows,
          itemPanels,
          BLOCK_TILES,
          cut,
          pitch,
        ],
        items: blocks * items,
        grain: grainOf((2 * MATRICES * BLOCK_TILES * K * Math.min(rows, 6 * itemPanels)) / FLOPS),
      },
    ];
  });
  return {
    calls: calls.flat(),
    temps: [MATRICES * (panels.padded * K + MATRIX_PAD)],
    threadSpace:
      4 +
      pitch +
      7 * BLOCK_TILES +
      192 +
      16 +
      MATRICES * (BLOCK_TILES * (cut + 6 * itemPanels) + 2 * MATRIX_PAD) +
      runs * 6 * pitch,
    variant: "winograd",
    ...(!turned && { halves: [weight] }),
  };
}

/** dw from x and dy. */
export function winogradWeightGrad(x: Tensor, dy: Tensor, dw: Tensor, g: ConvGeometry): KernelPlan {
  const { B, C, H, W, O, OH, OW, padding } = g;
  const [oBlock, cBlock] = [O, C].map((n) => (n <= GRAD_BLOCK ? n : roundUp(evenPart(n, GRAD_BLOCK), 8)));
  const pairs = Math.ceil(O / oBlock) * Math.ceil(C / cBlock);
  const blocks = Math.ceil(tilesOf(B, OH, OW) / GRAD_BLOCK_TILES);
  const elements = 9 * O * C;
  const wanted = Math.min(
    Math.ceil(ITEMS / pairs),
    Math.floor(blocks / GRAD_MIN_BLOCKS),
    Math.floor(MAX_PARTIAL / elements),
  );
  const chunkBlocks = Math.ceil(blocks / Math.max(1, wanted));
  const chunks = Math.ceil(blocks / chunkBlocks);
  const { pitch } = rowsOf(GRAD_BLOCK_TILES, OW);
  const [outputs, channels] = [roundUp(oBlock, 8), roundUp(cBlock, 8)];

  const call: Call = {
    fn: "winogradWeightGrad",
    args: [
      at(x),
      at(dy),
      chunks > 1 ? temp(0) : at(dw),
      own,
      B,
      C,
      H,
      W,
      O,
      OH,
      OW,
      ...padding,
      oBlock,
      cBlock,
      GRAD_BLOCK_TILES,
      chunkBlocks,
      pitch,
    ],
    items: chunks * pairs,
    grain: grainOf((2 * MATRICES * GRAD_BLOCK_TILES * chunkBlocks * oBlock * cBlock) / FLOPS),
  };
  const sum: Call = {
    fn: "convReduceWeightGrad",
    args: [temp(0), at(dw), elements, chunks],
    items: elements,
    grain: grainOf(chunks / 4),
  };
  return {
    calls: chunks > 1 ? [call, sum] : [call],
    temps: chunks > 1 ? [chunks * elements] : [],
    threadSpace:
      4 +
      pitch +
      4 * GRAD_BLOCK_TILES +
      16 +
      MATRICES * (outputs * channels + GRAD_BLOCK_TILES * (outputs + channels) + 3 * MATRIX_PAD) +
      Math.max(80 * pitch + 32, 144),
    variant: "winograd",
  };
}
