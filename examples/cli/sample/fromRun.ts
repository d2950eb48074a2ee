import { files } from "../../../backends/host/files.ts";
import { classesOf, type HostArray } from "../../../core/interfaces/mod.ts";
import { number } from "../../../core/plugin/mod.ts";
import { joined } from "../../../core/tensor/mod.ts";
import { readWeights, type WeightsInfo } from "../../../core/train/files/weightsFile.ts";
import { ImageSheet } from "../../../plugins/observers/drawing/imageSheet.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { checkDrawable, samplePicture } from "../../../plugins/observers/samplePicture.ts";
import { workProgress } from "../../../plugins/observers/workProgress.ts";
import { checkLevels, labelOf } from "../../engine/storedWeights.ts";
import type { Given } from "../command.ts";
import { describeBackend, openBackend, tuning } from "../device.ts";
import { promptsFor } from "../prompts.ts";
import { loadRegistry } from "../registry.ts";
import {
  checkPicture,
  findWeights,
  openDrawer,
  readNumbers,
  samplerSettings,
  storedPlugins,
} from "../storedWeights.ts";
import { guidanceFlag, toldScale } from "../toldScale.ts";

const whole = (initial: number, min: number, about: string) =>
  number({ default: initial, min, max: 2 ** 31, integer: true, about });
/** Flags that are numbers. */
const numbers = {
  n: whole(100, 1, "samples"),
  seed: whole(0, 0, "every random draw follows from it"),
  guidance: guidanceFlag,
};

/** Draws from weights that a run has written. */
export async function sampleRun(given: Given): Promise<number> {
  process.stdout.write(`${await drawRun(given)}\n`);
  return 0;
}

/** The same without a word of its own: resolves with what is to be said. */
export async function drawRun(given: Given): Promise<string> {
  const { n, seed, guidance } = readNumbers("sample", numbers, given);
  const out = given.text("out") ?? "samples.png";
  await checkPicture(out, given);
  const file = await findWeights(given.positionals[0], rolesOf(given.text("role")));
  const stored = await readWeights(files, file);
  const info = toldScale("sample", stored.info, guidance);
  checkDrawable(info.data.sample);
  const text = given.text("label");
  const label = text === undefined ? undefined : labelOf(text, info);
  const sampler = given.text("sampler") ?? info.config.sampler?.use ?? "heun";
  const settings = samplerSettings(given);
  checkLevels(info, settings, given.text("sampler"));
  const prompts = await promptsFor("sample", given.text("prompts"), files, info.data.condition, n);
  const registry = await loadRegistry(given.all("plugin"));
  const plugins = storedPlugins(info, sampler, settings, registry);
  // Refuses a picture that is too large.
  openSheet(n, label, 0, info);
  const backend = await openBackend(given.text("device"), tuning(given));
  const work = workProgress(process.stderr, "samples");
  try {
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    const how = { count: n, ownLevels: !given.on("sampler") };
    const { drawer, close } = await openDrawer(backend, plugins, stored, how);
    const condition: Record<string, HostArray> = { ...prompts?.condition };
    if (label !== undefined) condition.label = new Int32Array(n).fill(label);
    const pace = async (done: number, total: number) => work.tell("drawing samples", done, total);
    const sheet = openSheet(n, label, drawer.nfe, info);
    let first = 0;
    for await (const { x, shape } of drawer.batches({ count: n, seed, condition, empty: prompts?.empty, pace })) {
      sheet.take(first, x);
      first += shape[0];
    }
    work.close();
    await files.write(out, encodePng(sheet.picture()));
    const named = label === undefined ? "" : `, class ${classNames(info)[label] ?? label}`;
    const shown = guidance === undefined ? named : `${named}, guidance ${guidance}`;
    const said = `${out}: ${n} samples of the ${info.role}${shown}, NFE ${drawer.nfe}`;
    await close();
    return said;
  } finally {
    work.close();
    await backend.close();
  }
}

/** Whose weights of a run's folder are looked for, in this order. */
const rolesOf = (role: string | undefined): string[] => (role === undefined ? ["generator", "teacher"] : [role]);

const classNames = ({ data }: WeightsInfo): readonly string[] => data.condition.label?.names ?? [];

/** The picture of samples that come in portions. Of images no more than the picture is kept; points are few numbers. */
function openSheet(count: number, label: number | undefined, nfe: number, info: WeightsInfo) {
  const { sample } = info.data;
  const names = classNames(info);
  const classes = classesOf(info.data);
  const named = label === undefined ? "" : `, class ${names[label] ?? label}`;
  const title = `${info.role}, NFE ${nfe}${named}`;
  if (sample.length === 3) {
    const captions =
      classes && label === undefined ? (i: number) => names[i % classes] ?? String(i % classes) : undefined;
    const [C, H, W] = sample;
    const sheet = new ImageSheet({ shape: [C, H, W], titles: [title], count, captions });
    return { take: (first: number, x: Float32Array) => sheet.place(0, first, x), picture: () => sheet.picture() };
  }
  const taken: Float32Array[] = [];
  return {
    take: (_: number, x: Float32Array) => void taken.push(x.slice()),
    picture: () => samplePicture([{ title, x: joined(taken) }], sample, count),
  };
}
