import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import { DATA_FOLDER } from "../../../core/interfaces/mod.ts";
import { type FloatTensor, readTensors } from "../../../core/io/mod.ts";

/** Tensors of a file by name, as float32. */
export type NamedWeights = Readonly<Record<string, FloatTensor>>;

/**
 * The tensors of the file that an extractor's option `weights` names; counters of batch norms are passed over, and what is not
 * `wanted`.
 * @throws E_OPTION when none is named, else what the reader of the file does
 */
export async function extractorWeights(
  container: Resolver,
  extractor: string,
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<NamedWeights> {
  const { files } = container.get(DATA_FOLDER);
  if (path === "" || !files)
    throw failure(
      "E_OPTION",
      `Cannot load ${extractor}: ${files ? "weights is not given" : "the run has no files"}, expected a file of weights`,
      { fix: `give the file with --set extractors.${extractor}.weights=FILE` },
    );
  return readTensors(files, path, (name) => wanted(name) && !name.endsWith("num_batches_tracked"));
}
