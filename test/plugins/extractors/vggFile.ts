import { encodeSafetensors, type StoredTensor } from "../../../core/io/safetensors.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { vggNetwork } from "../../../plugins/extractors/vgg16.ts";

/** Parameters of VGG-16 with the channel weights of LPIPS, by name. */
export const vggLayout = layoutOf((scope) => {
  const { features, channelWeights } = vggNetwork(scope);
  features(input("image", [1, 3, 16, 16]));
  channelWeights?.();
});

/** A file of made-up weights of VGG-16, `more` laid over them. There are 15 million. */
export function vggFile(more: Readonly<Record<string, StoredTensor>> = {}): Uint8Array {
  const tensors = vggLayout.entries.map(({ name, shape }): [string, StoredTensor] => {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = name.startsWith("lin") ? 1 : (i % 7) / 7 - 0.4;
    return [name, { dtype: "F32", shape, data }];
  });
  return encodeSafetensors({ ...Object.fromEntries(tensors), ...more });
}
