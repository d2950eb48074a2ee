import { files } from "../../../backends/host/files.ts";
import { failure } from "../../../core/errors.ts";
import type { PictureSize } from "../../../core/pixels/mod.ts";
import { number, optional, readSetting } from "../../../core/plugin/mod.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import type { GenerateProgress } from "../../../plugins/pipelines/textToImage.ts";
import type { Given } from "../command.ts";
import { loraOf } from "../models/asked.ts";
import { withPipeline } from "../models/withPipeline.ts";
import { statOf } from "../statOf.ts";
import { checkOutput, checkPicture, readNumbers } from "../storedWeights.ts";
import { version } from "../version.ts";
import { tiledPicture } from "./tiledPicture.ts";

const whole = (min: number, max: number, about: string) => optional(number({ min, max, integer: true }), { about });
/** Flags that are numbers; without them the model or its scheduler says. */
const numbers = {
  n: whole(1, 10_000, "pictures"),
  seed: number({ default: 0, min: 0, max: 2 ** 31, integer: true, about: "every random draw follows from it" }),
  steps: whole(1, 10_000, "network calls"),
  guidance: optional(number({ min: 0 }), { about: "factor of guidance" }),
  "negative-scale": optional(number({ above: 1 }), { about: "factor by which a negative prompt is avoided" }),
  tile: whole(8, 4096, "latents on a side that are decoded together"),
};

/** What the parts of the work are called, and what is counted. */
const parts: Readonly<Record<GenerateProgress["part"], readonly [what: string, unit: string]>> = {
  texts: ["encoding texts", "encoders"],
  weights: ["reading weights", "tensors"],
  steps: ["drawing", "steps"],
  pictures: ["decoding", "tiles"],
};

/** Draws pictures of texts with a model in files. */
export async function sampleModel(given: Given): Promise<number> {
  const { n, seed, steps, guidance, tile, ...rest } = readNumbers("sample", numbers, given);
  const negativeScale = rest["negative-scale"];
  const prompts = given.all("prompt");
  const count = n ?? Math.max(1, prompts.length);
  const size = sizeOf(given.text("size"));
  const out = given.text("out") ?? "samples.png";
  const places = await placesOf(out, count, seed, given);
  const settings = given.all("set").map(readSetting);
  const task = {
    unit: "steps",
    stopping: "ends after this step; nothing is written",
    path: given.text("model")!,
    loras: given.all("lora").map(loraOf),
  };
  return withPipeline(given, task, async ({ model, backend, work, signal }) => {
    const { pictures, drawing, nfe } = await model.generate({
      prompt: prompts.length > 0 ? prompts : undefined,
      negative: given.text("negative"),
      negativeScale,
      label: given.text("label"),
      count,
      seed,
      size,
      as: given.text("as"),
      steps,
      sampler: given.text("sampler"),
      guidanceScale: guidance,
      settings,
      tile,
      signal,
      onProgress: ({ part, done, total }) => work.tell(parts[part][0], done, total, parts[part][1]),
    });
    work.close();
    const made = {
      model: given.text("model"),
      prompt: prompts.length > 1 ? prompts : prompts[0],
      negative: given.text("negative"),
      negativeScale,
      seed,
      size: `${pictures[0].width}x${pictures[0].height}`,
      as: drawing.as,
      guidance: drawing.guidanceScale,
      sampler: drawing.sampler,
      process: drawing.process,
      networkCalls: nfe,
      unet: given.text("unet"),
      vae: given.text("vae"),
      lora: given.all("lora"),
      device: backend.info.backend,
      onestep: version(),
    };
    if (places.length > 1 || places[0] !== out) await files.makeDir(out);
    for (const [i, place] of places.entries()) {
      const shown = places.length === 1 ? tiledPicture(pictures) : pictures[i];
      const text = places.length === 1 ? made : { ...made, picture: i, prompt: prompts[i % prompts.length] };
      await files.write(place, encodePng(shown, { onestep: JSON.stringify(text) }));
    }
    const what = `${count} ${count === 1 ? "picture" : "pictures"} of ${pictures[0].width} x ${pictures[0].height}`;
    process.stdout.write(`${out}: ${what}, as ${drawing.as}, ${drawing.sampler.use}, NFE ${nfe}\n`);
    return 0;
  });
}

/** `512x768`: width, then height. @throws E_USAGE */
export function sizeOf(text: string | undefined): PictureSize | undefined {
  if (text === undefined) return undefined;
  const [, width, height] = text.match(/^(\d{1,5})[x×](\d{1,5})$/) ?? [];
  if (width) return { width: Number(width), height: Number(height) };
  throw failure("E_USAGE", `Cannot use --size ${text}: expected width and height in pixels, such as 512x512`);
}

/** One file for all pictures, or one for each in a folder. @throws E_FILE before anything is drawn */
async function placesOf(out: string, count: number, seed: number, given: Given): Promise<string[]> {
  const isFolder = out.endsWith("/") || statOf(out)?.isDirectory();
  if (!isFolder) {
    await checkPicture(out, given);
    return [out];
  }
  const places = Array.from({ length: count }, (_, i) => files.join(out, `${seed}-${i}.png`));
  if (statOf(out)) for (const place of places) await checkOutput(place, given);
  else await checkOutput(out.replace(/\/+$/, ""), given);
  return places;
}
