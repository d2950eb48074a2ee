// The same work in Node and in a page: pictures of both tiny models on wasm.
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { Registry } from "../../core/plugin/mod.ts";
import { allPlugins } from "../../plugins/all.ts";
import { openPipeline } from "../../plugins/pipelines/textToImage.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";

/** Bytes of a picture of each model among the files, as base 64, and the threads that drew them. */
export async function drawnPictures(files: Record<string, Uint8Array>) {
  const backend = await WasmBackend.open({ threads: 2, wide: false });
  const registry = new Registry().register(allPlugins);
  const pictures: Record<string, string> = {};
  for (const kind of ["sd15", "sdxl"]) {
    const model = await openPipeline(memoryFiles(files), kind, { backend, registry });
    const { pictures: drawn } = await model.generate({ prompt: "a cat in the house", steps: 2, seed: 3 });
    pictures[kind] = btoa(String.fromCharCode(...drawn[0].data));
  }
  const { threads } = backend;
  await backend.close();
  return { threads, pictures };
}
