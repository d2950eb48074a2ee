/**
 * Pictures from texts in a program: a model in files, a device, progress, and pixels as the result.
 *
 *     npm run example -- text-to-image MODEL "a lighthouse at dawn"
 */
import { writeFile } from "node:fs/promises";
import { Registry } from "onestep";
import { files } from "onestep/host";
import { encodePng } from "onestep/observers";
import { allPlugins, openPipeline } from "onestep/plugins";
import { WasmBackend } from "onestep/wasm";

const [path = "tiny-models/sd15", prompt = "a lighthouse at dawn"] = process.argv.slice(2);
const backend = await WasmBackend.open();
const registry = new Registry().register(allPlugins);

const model = await openPipeline(files, path, { backend, registry, note: console.warn });
const cancel = new AbortController();
process.once("SIGINT", () => cancel.abort());

const { pictures, nfe, drawing } = await model.generate({
  prompt,
  steps: 20,
  seed: 7,
  signal: cancel.signal,
  onProgress: ({ part, done, total }) => part === "steps" && console.log(`step ${done} of ${total}`),
});
await writeFile("text-to-image.png", encodePng(pictures[0]));
console.log(`${drawing.sampler.use}, ${nfe} network calls, guidance ${drawing.guidanceScale}`);
await backend.close();
