import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import { DATA_FOLDER } from "../../../core/interfaces/mod.ts";
import { openTensors, toFloat32 } from "../../../core/io/mod.ts";

/** Tensors of a file by name, as float32. */
export type NamedWeights = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;

/**
 * The tensors of the file that an extractor's option `weights` names; counters of batch norms are passed over.
 * @throws E_OPTION when none is named, else what the reader of the file does
 */
export async function extractorWeights(container: Resolver, extractor: string, path: string): Promise<NamedWeights> {
  const { files } = container.get(DATA_FOLDER);
  if (path === "" || !files)
    throw failure(
      "E_OPTION",
      `Cannot load ${extractor}: ${files ? "weights is not given" : "the run has no files"}, expected a file of weights`,
      { fix: `set extractors.${extractor}.weights` },
    );
  const weights: Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }> = {};
  for (const [name, tensor] of Object.entries(await openTensors(files, path)))
    if (!name.endsWith("num_batches_tracked"))
      weights[name] = { shape: tensor.shape, data: toFloat32(await tensor.read()) };
  return weights;
}
