import { files } from "../../backends/host/files.ts";
import { failure, suggestion } from "../../core/errors.ts";
import { classesOf, type HostArray } from "../../core/interfaces/mod.ts";
import { number } from "../../core/plugin/mod.ts";
import { readWeights, type WeightsInfo } from "../../core/train/files/weightsFile.ts";
import type { Drawn } from "../../core/train/sampling/sampleDrawer.ts";
import { some } from "../../plugins/datasets/shared/pictureFolder.ts";
import { encodePng } from "../../plugins/observers/drawing/png.ts";
import { samplePicture } from "../../plugins/observers/samplePicture.ts";
import type { Given } from "./command.ts";
import { describeBackend, openBackend, tuning } from "./device.ts";
import { readPrompts } from "./prompts.ts";
import { loadRegistry } from "./registry.ts";
import { checkOutput, findWeights, openDrawer, readNumbers, samplerSettings, storedPlugins } from "./storedWeights.ts";

const whole = (initial: number, min: number, about: string) =>
  number({ default: initial, min, max: 2 ** 31, integer: true, about });
/** Flags that are numbers. */
const numbers = {
  n: whole(100, 1, "samples"),
  seed: whole(0, 0, "every random draw follows from it"),
};

export async function run(given: Given): Promise<number> {
  const { n, seed } = readNumbers("sample", numbers, given);
  const out = given.text("out") ?? "samples.png";
  await checkOutput(out, given);
  const file = await findWeights(given.positionals[0], rolesOf(given.text("role")));
  const stored = await readWeights(files, file);
  const { info } = stored;
  const label = labelOf(given.text("label"), info);
  const sampler = given.text("sampler") ?? info.config.sampler?.use ?? "heun";
  const settings = samplerSettings(given);
  if (info.role !== "teacher" && settings.length > 0 && !given.on("sampler"))
    throw failure(
      "E_OPTION",
      "Cannot change how the generator is sampled: its noise levels are those it was trained for",
      { fix: "leave --steps and --set out, or choose a sampler with --sampler" },
    );
  const prompts = await promptsOf(given, info, n);
  const registry = await loadRegistry(given.all("plugin"));
  const plugins = storedPlugins(info, sampler, settings, registry);
  const backend = await openBackend(given.text("device"), tuning(given));
  try {
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    const how = { count: n, ownLevels: !given.on("sampler") };
    const { drawer, close } = await openDrawer(backend, plugins, stored, how);
    const condition: Record<string, HostArray> = { ...prompts?.condition };
    if (label !== undefined) condition.label = new Int32Array(n).fill(label);
    const drawn = await drawer.draw({ count: n, seed, condition, empty: prompts?.empty });
    await files.write(out, picture(drawn, info));
    process.stdout.write(`${out}: ${n} samples of the ${info.role}, NFE ${drawn.nfe}\n`);
    await close();
    return 0;
  } finally {
    await backend.close();
  }
}

/** The texts to show, and other entries that come from data: for models that are told some, and only for them. */
async function promptsOf(given: Given, { data: { condition } }: WeightsInfo, count: number) {
  const file = given.text("prompts");
  const told = Object.keys(condition).filter((name) => condition[name].classes === undefined);
  if ((file === undefined) !== (told.length === 0))
    throw failure(
      "E_USAGE",
      `Cannot sample: ${told.length > 0 ? `the model is told ${told.join(", ")}, and there is no --prompts` : "--prompts is given, and the model knows no text"}`,
      { fix: told.length > 0 ? "give embedded texts with --prompts FILE" : "leave --prompts out" },
    );
  return file === undefined ? undefined : readPrompts(file, files, condition, count);
}

/** Whose weights of a run's folder are looked for, in this order. */
const rolesOf = (role: string | undefined): string[] => (role === undefined ? ["generator", "teacher"] : [role]);

/** The class that a text means: a name of the data's, else its place among them from 0. @throws OptionError */
function labelOf(text: string | undefined, { data }: WeightsInfo): number | undefined {
  if (text === undefined) return undefined;
  const classes = classesOf(data);
  const { names = [] } = data.condition.label ?? {};
  const refuse = (why: string, fix: string) => failure("E_OPTION", `Cannot sample class ${text}: ${why}`, { fix });
  if (classes === 0) throw refuse("the data has no classes", "leave --label out");
  const place = names.includes(text) ? names.indexOf(text) : /^\d+$/.test(text) ? Number(text) : -1;
  if (place >= 0 && place < classes) return place;
  const known = names.length > 0 ? `${some(names, 12)}, or 0 to ${classes - 1}` : `0 to ${classes - 1}`;
  throw refuse(`classes are ${known}${suggestion(text, names)}`, "choose another --label");
}

function picture({ x, shape, nfe }: Drawn, { role }: WeightsInfo): Uint8Array {
  const title = `${role}, NFE ${nfe}`;
  return encodePng(samplePicture([{ title, x }], shape.slice(1), shape[0]));
}
