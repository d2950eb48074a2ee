import { mean, slice } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { foldBatchNorms, inceptionLayers, inceptionNetwork } from "../../../plugins/extractors/inception.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { formulaWeights } from "../formulaWeights.ts";
import type { Job, Kind } from "../kind.ts";
import { ignore } from "../settings.ts";

/** Runs `inception_fid`: pytorch-fid's reading of pictures, means and corners of its blocks, pooled features, logits. */
export const inceptionKind: Kind = {
  name: "inception",
  matches: ({ file, config }) => file.startsWith("inception_") && "keys" in config,
  run: runInception,
};

async function runInception({ reference, backend, check }: Job): Promise<void> {
  const { config } = reference;
  ignore(config, "num_keys");
  const weights = formulaWeights(config);
  const names = new Set<string>(config.keys);
  const folded = foldBatchNorms((name) => (names.has(name) ? weights(name) : undefined));
  const feed = new Feed();
  const { scope } = feed.weights("w.", (name) => {
    const values = folded(name);
    if (!values) throw new Error(`the case has no parameter ${name}`);
    return values;
  });
  const images = reference.f32("in.images").map((byte) => byte / 127.5 - 1);
  const x = feed.tensor("in.images", reference.shape("in.images"), images);
  const network = inceptionNetwork(scope, "pytorch");
  const { pool3, logits } = network.features(x);
  const { blocks } = inceptionLayers(scope, network.inputs(x));
  const outputs: Record<string, Tensor> = { "out.pool3": pool3, "out.logits": logits };
  for (const [i, block] of blocks.entries()) {
    outputs[`out.block${i}_mean`] = mean(block, { axes: [2, 3] });
    outputs[`out.block${i}_sample`] = corner(block, reference.shape(`out.block${i}_sample`));
  }
  const result = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(result)) check(values, name);
  check(result["out.pool3"], "f64.out.pool3");
  const [rows, columns] = reference.shape("check.first_values");
  const listed: string[] = [...config.keys].slice(0, rows);
  check(
    listed.flatMap((name) => [...weights(name).subarray(0, columns)]),
    "check.first_values",
  );
}

/** The first channels, rows and columns. */
const corner = (block: Tensor, [, ...sizes]: readonly number[]): Tensor =>
  sizes.reduce((part, end, i) => slice(part, { axis: i + 1, start: 0, end }), block);
