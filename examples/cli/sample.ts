import { files } from "../../backends/host/files.ts";
import { failure } from "../../core/errors.ts";
import { classesOf, type HostArray } from "../../core/interfaces/mod.ts";
import { number } from "../../core/plugin/mod.ts";
import { readWeights, type WeightsInfo } from "../../core/train/files/weightsFile.ts";
import type { Drawn } from "../../core/train/sampling/sampleDrawer.ts";
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
  label: whole(0, 0, "class"),
};

export async function run(given: Given): Promise<number> {
  const { n, seed, label } = readNumbers("sample", numbers, given);
  const out = given.text("out") ?? "samples.png";
  await checkOutput(out, given);
  const file = await findWeights(given.positionals[0], rolesOf(given.text("role")));
  const stored = await readWeights(files, file);
  const { info } = stored;
  checkLabel(given, label, info);
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
    if (given.on("label")) condition.label = new Int32Array(n).fill(label);
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

function checkLabel(given: Given, label: number, { data }: WeightsInfo): void {
  const classes = classesOf(data);
  if (given.on("label") && label >= classes)
    throw failure(
      "E_OPTION",
      `Cannot sample class ${label}: ${classes ? `classes are 0 to ${classes - 1}` : "the data has no classes"}`,
      { fix: classes ? "choose another --label" : "leave --label out" },
    );
}

function picture({ x, shape, nfe }: Drawn, { role }: WeightsInfo): Uint8Array {
  const title = `${role}, NFE ${nfe}`;
  return encodePng(samplePicture([{ title, x }], shape.slice(1), shape[0]));
}
