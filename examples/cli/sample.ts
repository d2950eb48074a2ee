import { files } from "../../backends/host/files.ts";
import { failure } from "../../core/errors.ts";
import { number } from "../../core/plugin/mod.ts";
import { type Drawn, decodeWeights, type WeightsInfo } from "../../core/train/mod.ts";
import { encodePng } from "../../plugins/observers/drawing/png.ts";
import { samplePicture } from "../../plugins/observers/mod.ts";
import type { Given } from "./command.ts";
import { describeBackend, openBackend } from "./device.ts";
import { type Prompts, readPrompts } from "./prompts.ts";
import { loadRegistry } from "./registry.ts";
import {
  findWeights,
  openDrawer,
  readNumbers,
  refuseExisting,
  samplerSettings,
  storedPlugins,
} from "./storedWeights.ts";

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
  await refuseExisting(out, given);
  const file = await findWeights(given.positionals[0], rolesOf(given.text("role")));
  const stored = decodeWeights(await files.read(file), file);
  const { info } = stored;
  checkLabel(given, label, info);
  const sampler = given.text("sampler") ?? info.config.sampler.use;
  const settings = samplerSettings(given);
  if (info.role === "generator" && settings.length > 0 && !given.on("sampler"))
    throw failure(
      "E_OPTION",
      "Cannot change how the generator is sampled: its noise levels are those it was trained for",
      { fix: "leave --steps and --set out, or choose a sampler with --sampler" },
    );
  const prompts = await promptsOf(given, info, n);
  const registry = await loadRegistry(given.all("plugin"));
  const plugins = storedPlugins(info, sampler, settings, registry);
  const backend = await openBackend(given.text("device"));
  try {
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    const how = { count: n, ownLevels: !given.on("sampler") };
    const { drawer, close } = await openDrawer(backend, plugins, stored, how);
    const labels = given.on("label") ? new Int32Array(n).fill(label) : undefined;
    const drawn = await drawer.draw({ count: n, seed, label: labels, ...prompts });
    await files.write(out, picture(drawn, info));
    process.stdout.write(`${out}: ${n} samples of the ${info.role}, NFE ${drawn.nfe}\n`);
    await close();
    return 0;
  } finally {
    await backend.close();
  }
}

/** The texts to show: for models of text, and only for them. */
async function promptsOf(
  given: Given,
  { data: { text } }: WeightsInfo,
  count: number,
): Promise<Prompts | undefined> {
  const file = given.text("prompts");
  if ((file === undefined) !== (text === undefined))
    throw failure(
      "E_USAGE",
      `Cannot sample: ${text ? "the model is told by text what to show, and there is no --prompts" : "--prompts is given, and the model knows no text"}`,
      { fix: text ? "give embedded texts with --prompts FILE" : "leave --prompts out" },
    );
  return text && readPrompts(file!, files, text, count);
}

/** Whose weights of a run's folder are looked for, in this order. */
function rolesOf(role: string | undefined): ("generator" | "teacher")[] {
  const roles = (["generator", "teacher"] as const).filter(
    (each) => role === undefined || each === role,
  );
  if (roles.length === 0)
    throw failure("E_USAGE", `Cannot sample from "${role}": --role must be generator or teacher`);
  return roles;
}

function checkLabel(given: Given, label: number, { data: { classes } }: WeightsInfo): void {
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
