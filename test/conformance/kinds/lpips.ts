import { grad } from "../../../core/graph/mod.ts";
import { lpipsLayers } from "../../../core/nn/mod.ts";
import { add, stack, sum } from "../../../core/ops/mod.ts";
import { vggNetwork } from "../../../plugins/extractors/vgg16.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { formulaWeights } from "../formulaWeights.ts";
import type { Job, Kind } from "../kind.ts";
import { only } from "../settings.ts";

/** Runs `lpips_vgg`: the perceptual distance of two batches, what each layer adds, and its gradient at the first. */
export const lpipsKind: Kind = {
  name: "lpips",
  matches: ({ file, config }) => file.startsWith("lpips_") && "keys" in config,
  run: runLpips,
};

/** Mean and deviation of the images that the network was made for. */
const IMAGE_NORM = { shift: [-0.03, -0.088, -0.188], scale: [0.458, 0.448, 0.45] };

async function runLpips({ reference, backend, check }: Job): Promise<void> {
  for (const [name, values] of Object.entries(IMAGE_NORM)) only(reference.config, name, values);
  const feed = new Feed();
  const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f32(name));
  const isLinear = (name: string) => name.startsWith("lin");
  const { scope } = feed.weights("w.", formulaWeights(reference.config, isLinear));
  const [a, b] = [given("in.image0"), given("in.image1")];
  const layers = lpipsLayers(vggNetwork(scope), a, b);
  const distance = layers.reduce((total, layer) => add(total, layer));
  const outputs = {
    "out.distance": distance,
    "out.per_layer": stack(layers, 0),
    "grad.in.image0": grad(sum(distance), [a])[0],
  };
  const result = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(result)) check(values, name);
  check(result["out.distance"], "f64.out.distance");
}
