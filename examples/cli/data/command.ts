import { resolve } from "node:path";
import { files } from "../../../backends/host/files.ts";
import { offloading } from "../../../backends/host/offload.ts";
import { failure } from "../../../core/errors.ts";
import { decodePrompts } from "../../../core/io/mod.ts";
import { choice, number, optional } from "../../../core/plugin/mod.ts";
import { captionedFolder } from "../../../plugins/datasets/shared/captionedFolder.ts";
import type { PictureSet } from "../../../plugins/datasets/shared/pictureSet.ts";
import { placedPictures } from "../../../plugins/datasets/shared/placedPictures.ts";
import {
  type EncodeRequest,
  encodeData,
  picturesToEncode,
  promptsToEncode,
} from "../../../plugins/pipelines/encodeData.ts";
import type { Given } from "../command.ts";
import { withPipeline } from "../models/withPipeline.ts";
import { sizeOf } from "../sample/fromModel.ts";
import { readNumbers } from "../storedWeights.ts";

const numbers = {
  seed: number({ default: 0, min: 0, max: 2 ** 31, integer: true, about: "every draw of a latent follows from it" }),
  shard: number({ default: 128, above: 0, about: "MiB of a shard at most" }),
  "time-ids": optional(choice(["picture", "whole"]), { about: "what a model is told of sizes" }),
};

/** Encodes pictures and captions, or texts alone, for training in latents. */
export async function run(given: Given): Promise<number> {
  const [verb, pictures] = given.positionals;
  if (verb !== "encode")
    throw failure("E_USAGE", `Cannot run "data ${verb}": expected "data encode"`, { fix: "see `onestep data --help`" });
  const { seed, shard, "time-ids": timeIds } = readNumbers("data encode", numbers, given);
  const path = needed(given, "model");
  const out = needed(given, "out");
  const size = sizeOf(given.text("size"));
  const source = await sourceOf(pictures, given);
  const task = {
    unit: "rows",
    stopping: "ends after this picture; the same command goes on with the shard that is not done",
    path,
  };
  return withPipeline(given, task, async ({ model, backend, work, note, signal }) => {
    const { rows, shards, found, skipped } = await encodeData({
      ...source,
      files,
      backend,
      model: model.model,
      out: resolve(out),
      size,
      shardBytes: shard * 2 ** 20,
      skipBad: given.on("skip-bad"),
      seed,
      timeIds,
      offload: offloading({ tell: note }),
      note,
      onProgress: (done, total) => work.tell("encoding", done, total),
      signal,
    });
    work.close();
    const there = found > 0 ? `, ${found} were there already` : "";
    const left = skipped.length > 0 ? `, ${skipped.length} left out` : "";
    process.stdout.write(`${out}: ${rows} rows in ${shards} new ${shards === 1 ? "shard" : "shards"}${there}${left}\n`);
    return 0;
  });
}

/** A flag that the command can't do without. @throws E_USAGE */
function needed(given: Given, flag: "model" | "out"): string {
  const text = given.text(flag);
  if (text !== undefined) return text;
  const what =
    flag === "model" ? "the folder or file of the model whose encoders are used" : "the folder of the shards";
  throw failure("E_USAGE", `Cannot run data encode: there is no --${flag}, expected ${what}`);
}

/** What is to be encoded: the pictures of a folder, an archive or a list, or texts alone. @throws E_USAGE, E_DATA */
async function sourceOf(path: string | undefined, given: Given): Promise<Pick<EncodeRequest, "items" | "bad">> {
  const prompts = given.text("prompts");
  if ((path === undefined) === (prompts === undefined))
    throw failure("E_USAGE", "Cannot run data encode: expected either pictures or --prompts FILE");
  if (prompts !== undefined)
    return { items: promptsToEncode(decodePrompts(await files.read(prompts), prompts), prompts) };
  const set = await picturesAt(path!);
  if (!set.hasCaptions)
    throw failure("E_DATA", `Cannot encode ${path}: its ${set.pictures.length} pictures have no captions`, {
      fix: "put a text beside each picture (cat.jpg, cat.txt), or give COCO's captions….json or WebDataset's .txt entries",
    });
  return { items: picturesToEncode(set), bad: set.bad };
}

/** WebDataset's shards, COCO's folder, or pictures with texts beside them. */
async function picturesAt(path: string): Promise<PictureSet> {
  const folder = { files, path };
  if (/\.tar$|\{.*\}/.test(path)) return placedPictures("webdataset", folder);
  const names = (await files.exists(path)) ? await files.list(path).catch(() => []) : [];
  if (names.some((name) => name.endsWith(".tar"))) return placedPictures("webdataset", folder);
  const inside = names.includes("annotations") ? await files.list(files.join(path, "annotations")).catch(() => []) : [];
  if ([...names, ...inside].some((name) => /captions.*\.json$/i.test(name))) return placedPictures("coco", folder);
  return captionedFolder(files, path);
}
