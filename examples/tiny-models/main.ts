/**
 * Tiny models of Stable Diffusion 1.5 and SDXL with random weights, in the layout of the real ones: for trying commands that take
 * gigabytes otherwise. Their pictures are noise.
 *
 *     npm run example -- tiny-models models
 *     npx onestep sample --model models/sd15 --prompt "a cat" --out cat.png
 */
import { files } from "../../backends/host/files.ts";
import { tinyModels } from "./models.ts";
import { writeTinyModel } from "./write.ts";

const [folder = "tiny-models", ...more] = process.argv.slice(2);
if (folder.startsWith("-") || more.length > 0) {
  process.stderr.write("usage: npm run example -- tiny-models [folder]\n");
  process.exit(folder === "--help" && more.length === 0 ? 0 : 2);
}
for (const kind of Object.keys(tinyModels) as (keyof typeof tinyModels)[]) {
  const path = files.join(folder, kind);
  await writeTinyModel(files, path, { kind });
  console.log(path);
}
