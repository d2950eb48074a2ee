import { files } from "../../../backends/host/files.ts";
import { failure, OnestepError, some } from "../../../core/errors.ts";
import { MODEL_PARTS, type ModelPartName, type ModelParts } from "../../../core/interfaces/mod.ts";
import { type FileEntry, openTensors } from "../../../core/io/mod.ts";
import { workProgress } from "../../../plugins/observers/workProgress.ts";
import { openModelParts } from "../../../plugins/pipelines/shared/modelParts.ts";
import { GUIDANCE } from "../../../plugins/pipelines/shared/networkFile.ts";
import { openWeights, weightsName } from "../../../plugins/pipelines/shared/partFolder.ts";
import {
  type WriteOptions,
  writeDiffusers,
  writeNetwork,
  writeSingleFile,
  writeTensors,
} from "../../../plugins/pipelines/shared/writeModel.ts";
import type { Given } from "../command.ts";
import { checkOutput } from "../storedWeights.ts";
import { choiceOf, dtypeOf, parameters, partsLine, withLoras } from "./asked.ts";
import { checkNewFolder, writeFolder } from "./newFolder.ts";

/** Writes weights in another form, tensor by tensor. */
export async function run(given: Given): Promise<number> {
  const [from, out] = given.positionals;
  const dtype = dtypeOf("convert", given);
  const names = choiceOf("convert", "names", ["diffusers", "original", "kept"] as const, given);
  const part = choiceOf("convert", "part", MODEL_PARTS, given);
  const guidance = choiceOf("convert", "network", GUIDANCE, given);
  const isFile = out.endsWith(".safetensors");
  if (/\.(bin|pt|pth|ckpt|pkl)$/.test(out))
    throw failure("E_USAGE", `Cannot run convert: ${out} would be a pickle of PyTorch, which is read, not written`, {
      fix: "name a file that ends in .safetensors, or a folder",
    });
  if (isFile) await checkOutput(out, given);
  else checkNewFolder(out, given, from);
  const work = workProgress(process.stderr, "tensors");
  const pace = (done: number, total: number) => work.tell("converting", done, total);
  try {
    const odd: string[] = [];
    const options: WriteOptions = { dtype, pace, notFinite: (name) => void odd.push(name) };
    const tell = (lines: readonly string[]) => {
      const warning = `warning: ${some(odd, 3)} ${odd.length === 1 ? "holds" : "hold"} NaN or infinity, as in ${from}`;
      process.stdout.write(`${[...lines, ...(odd.length > 0 ? [warning] : [])].join("\n")}\n`);
    };
    if (names === "kept") {
      tell([await keepNames(from, out, isFile, options)]);
      return 0;
    }
    const opened = await openModelParts(files, from, { guidance, variant: given.text("variant") }).catch((error) => {
      throw error instanceof OnestepError && /no network that is known/.test(error.message) ? withKept(error) : error;
    });
    const { model, told } = await withLoras(part ? only(opened, part) : opened, given.all("lora"));
    tell([...told, ...(await written(model, out, isFile, names, options))]);
    return 0;
  } finally {
    work.close();
  }
}

/** The way out for weights that are none of the known networks. */
const withKept = ({ code, message, fix }: OnestepError): OnestepError =>
  failure(code, message, { fix: `${fix}; to keep the names as they are, add --names kept` });

/** @throws E_CHECKPOINT */
function only(model: ModelParts, part: ModelPartName): ModelParts {
  const found = model.parts[part];
  if (found) return { ...model, layout: "network", parts: { [part]: found } };
  throw failure(
    "E_CHECKPOINT",
    `Cannot convert the ${part} of ${model.path}: it has ${Object.keys(model.parts).join(", ")}`,
    {
      fix: "choose one of these with --part",
    },
  );
}

async function written(
  model: ModelParts,
  out: string,
  isFile: boolean,
  names: "diffusers" | "original" | undefined,
  options: WriteOptions,
): Promise<string[]> {
  if (!isFile) {
    const lacking = await writeFolder(out, (draft) => writeDiffusers(files, draft, model, options));
    const lines = [`${out}: a folder for diffusers, ${partsLine(model)}`];
    if (lacking.length > 0)
      lines.push(`warning: a complete model has ${lacking.join(", ")} too; copy them into it from such a model`);
    return lines;
  }
  const parts = Object.keys(model.parts) as ModelPartName[];
  if (names === "original" || (names === undefined && parts.length > 1)) {
    await writeSingleFile(files, out, model, options);
    return [`${out}: one file with the original names, ${partsLine(model)}`];
  }
  if (parts.length > 1)
    throw failure(
      "E_USAGE",
      `Cannot write ${out} with diffusers' names: the model has ${parts.join(", ")}, a file has one part`,
      {
        fix: "choose one with --part, or write a folder",
      },
    );
  await writeNetwork(files, out, model, parts[0], options);
  return [`${out}: ${partsLine(model)}`];
}

/** Tensors of any file with the names that they have. */
async function keepNames(from: string, out: string, isFile: boolean, options: WriteOptions): Promise<string> {
  if (!isFile)
    throw failure("E_USAGE", `Cannot run convert: ${out} is no file, names are kept in files alone`, {
      fix: "name a file that ends in .safetensors",
    });
  const names = await files.list(from).catch(() => undefined);
  const index = names && weightsName(names);
  if (names && !index)
    throw failure("E_CHECKPOINT", `Cannot convert ${from}: the folder has no file of weights`, {
      fix: "name a file in it",
    });
  const tensors: Record<string, FileEntry> = index
    ? await openWeights(files, from, index)
    : await openTensors(files, from);
  await writeTensors(files, out, tensors, { format: "pt" }, options);
  return `${out}: ${Object.keys(tensors).length} tensors, ${parameters(tensors)}`;
}
