import type { Extractor, FeatureNetwork } from "../../core/interfaces/mod.ts";
import { conv, type FrozenWeights, frozenWeights, type Scope, zeros } from "../../core/nn/mod.ts";
import { constantArray, div, input, maxPool2d, relu, sub } from "../../core/ops/mod.ts";
import { definePlugin, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { extractorWeights } from "./shared/extractorWeights.ts";

/** Channels of the convolutions between two poolings; features are read after the last of each stage. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];
/** Mean and deviation of ImageNet's colours, for images in [-1, 1]. */
const SHIFT = [-0.03, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.45];
/** Four poolings halve this to one pixel. */
const SMALLEST = 16;
/** `relu1_2`, `relu2_2`, `relu3_3`, `relu4_3`, `relu5_3`, as the paper of VGG calls the layers. */
const NAMES = STAGES.map(({ length }, stage) => `relu${stage + 1}_${length}`);

/**
 * VGG-16 up to its last convolution, with the channel weights of LPIPS 0.1. Colours are taken as (x − shift)/scale of
 * ImageNet; a grey image is one of three equal channels. Features are those after the ReLUs 1_2, 2_2, 3_3, 4_3 and 5_3.
 * Parameter names are those of the official state dict, `net.slice1.0.weight` … `lin4.model.1.weight`.
 * Simonyan & Zisserman 2014, arXiv:1409.1556; Zhang et al. 2018, arXiv:1801.03924.
 */
export const vgg16 = definePlugin({
  name: "vgg16",
  kind: "extractor",
  about: "VGG-16 with the channel weights of LPIPS",
  options: {
    weights: text({
      default: "",
      about: 'safetensors or PyTorch file: the state dict of lpips.LPIPS(net="vgg"), version 0.1',
    }),
  },
  create({ weights }, container): Extractor {
    let loaded: Promise<FrozenWeights> | undefined;
    const load = async () =>
      frozenWeights("vgg16", declare, await extractorWeights(container, "vgg16", weights), weights);
    return {
      name: "vgg16",
      reads: { channels: [1, 3], smallest: SMALLEST },
      widths: Object.fromEntries(NAMES.map((name, stage) => [name, widthOf(stage)])),
      bind: vggNetwork,
      load: () => (loaded ??= load()),
    };
  },
});

/** The network over parameters of a scope. */
export const vggNetwork = (scope: Scope): FeatureNetwork => ({
  features(x) {
    let [features, layer] = [colours(x), 0];
    // Layers are numbered as in torchvision.
    const found = STAGES.map((channels, stage) => {
      if (stage > 0) {
        features = maxPool2d(features, { kernel: 2 });
        layer++;
      }
      for (const count of channels) {
        features = relu(
          conv(
            scope
              .at("net")
              .at(`slice${stage + 1}`)
              .at(layer),
            features,
            count,
          ),
        );
        layer += 2;
      }
      return features;
    });
    return byName(found);
  },
  channelWeights: () =>
    byName(
      STAGES.map((_, stage) =>
        scope
          .at(`lin${stage}`)
          .at("model")
          .at(1)
          .parameter("weight", [1, widthOf(stage), 1, 1], zeros),
      ),
    ),
});

function declare(scope: Scope): void {
  const { features, channelWeights } = vggNetwork(scope);
  features(input("x", [1, 3, SMALLEST, SMALLEST]));
  channelWeights?.();
}

const widthOf = (stage: number): number => STAGES[stage][STAGES[stage].length - 1];

const byName = (tensors: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(tensors.map((tensor, stage) => [NAMES[stage], tensor]));

const colours = (x: Tensor): Tensor =>
  div(sub(x, constantArray(SHIFT, [1, 3, 1, 1])), constantArray(SCALE, [1, 3, 1, 1]));
