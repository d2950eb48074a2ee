import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, type Call, grainOf, type Lowering, own, temp } from "../kernel.ts";
import { CACHED_PLANES, convGeometry, evenPart, FLOPS, planeSize, roundUp, sizesOf } from "./convolution.ts";
import { convVariant, winogradWeightGrad } from "./winograd.ts";

/** Pixels multiplied between sums over lanes: those of 6 outputs (12 KB) stay in the first-level cache. */
const PIXELS = 512;
/** Taps of a block of channels: packing dy for them costs little beside multiplying by it. */
const TAPS = 144;
/** Elements of the sums of a tile. */
const SUMS = 96;
/** Outputs of a block. */
const OUTPUTS = 128;
/** Independent items to aim for; the batch is cut into chunks, summed by a second call, where channels give fewer. */
const ITEMS = 8;

export const conv2dWeightGrad: Lowering = {
  op: "conv2dWeightGrad",
  plan(node: Tensor) {
    const [x, dy] = node.inputs;
    const g = convGeometry(x.shape, node.shape, dy.shape, ops.attrsOf(node, ops.conv2dWeightGrad.spec));
    if (convVariant("conv2dWeightGrad", g) === "winograd") return winogradWeightGrad(x, dy, node, g);
    const { B, C, H, W, O, R, S, OH, OW, stride, inPlace } = g;
    const width = roundUp(OW, 4);
    const rows = evenPart(OH, Math.max(1, Math.floor(PIXELS / width)));
    const strips = Math.ceil(OH / rows);
    const units = B * strips;
    const perPass = strips > 1 ? 1 : evenPart(units, Math.max(1, Math.floor(PIXELS / (rows * width))));
    const passes = Math.ceil(units / perPass);

    const pitch = width + Math.floor((S - 1) / stride[1]);
    const plane = inPlace ? H * W : planeSize(rows + Math.floor((R - 1) / stride[0]), pitch);
    const phases = Math.min(stride[0], R) * Math.min(stride[1], S);
    const fitting = Math.floor(CACHED_PLANES / (phases * plane * perPass));
    const cBlock = evenPart(C, Math.max(1, Math.min(fitting, Math.round(TAPS / (R * S)))));
    const oBlock = roundUp(evenPart(O, OUTPUTS), 2);
    const blocks = Math.ceil(C / cBlock) * Math.ceil(O / oBlock);
    const perChunk = Math.ceil(passes / Math.ceil(ITEMS / blocks)) || 1;
    const chunks = Math.ceil(passes / perChunk) || 1;

    const elements = O * C * R * S;
    const passGroups = (perPass * rows * width) / 4;
    const call: Call = {
      fn: "convWeightGrad",
      args: [
        at(x),
        at(dy),
        chunks > 1 ? temp(0) : at(node),
        own,
        B,
        ...sizesOf(g),
        rows,
        pitch,
        plane,
        cBlock,
        oBlock,
        perPass,
        perPass * perChunk,
        Number(inPlace),
      ],
      items: chunks * blocks,
      grain: grainOf((8 * passGroups * perChunk * cBlock * R * S * oBlock) / FLOPS),
    };
    const sum: Call = {
      fn: "convReduceWeightGrad",
      args: [temp(0), at(node), elements, chunks],
      items: elements,
      grain: grainOf(chunks / 4),
    };
    return {
      variant: "direct",
      calls: chunks > 1 ? [call, sum] : [call],
      temps: chunks > 1 ? [chunks * elements] : [],
      threadSpace:
        SUMS + cBlock * R * S + passGroups + (oBlock + 3) * passGroups * 4 + perPass * cBlock * phases * plane,
    };
  },
};
