import { files } from "../../backends/host/files.ts";
import { failure } from "../../core/errors.ts";
import { encodePairs } from "../../core/io/mod.ts";
import { list, number } from "../../core/plugin/mod.ts";
import { teacherFingerprint } from "../../core/train/files/fingerprint.ts";
import { readWeights } from "../../core/train/files/weightsFile.ts";
import { drawPairs } from "../../core/train/sampling/pairs.ts";
import { workProgress } from "../../plugins/observers/mod.ts";
import type { Given } from "./command.ts";
import { describeBackend, openBackend, tuning } from "./device.ts";
import { loadRegistry } from "./registry.ts";
import { checkOutput, findWeights, openDrawer, readNumbers, samplerSettings, storedPlugins } from "./storedWeights.ts";

const whole = { max: 2 ** 31, integer: true };
/** Flags that are numbers. */
const numbers = {
  n: number({ default: 10_000, min: 1, ...whole, about: "pairs" }),
  seed: number({ default: 0, min: 0, ...whole, about: "every random draw follows from it" }),
  levels: list(number({ above: 0 }), { default: [], about: "noise levels of the path whose states are kept" }),
};

/** Draws what losses on pairs train on, such as the regression of DMD (Yin et al. 2023, arXiv:2311.18828). */
export async function run(given: Given): Promise<number> {
  const { n, seed, levels } = readNumbers("pairs", numbers, given);
  const out = given.text("out") ?? "pairs.safetensors";
  await checkOutput(out, given);
  const file = await findWeights(given.positionals[0], ["teacher"]);
  const stored = await readWeights(files, file);
  const { info, tensors } = stored;
  if (info.role !== "teacher")
    throw failure("E_CHECKPOINT", `Cannot draw pairs from ${file}: it is of the ${info.role}, expected a teacher`, {
      fix: "give the run's folder, or its teacher.safetensors",
    });
  const name = given.text("sampler") ?? "heun";
  const registry = await loadRegistry(given.all("plugin"));
  const plugins = storedPlugins(info, name, samplerSettings(given), registry);
  const sampler = { use: name, ...plugins.find(({ kind }) => kind === "sampler")!.options };
  const teacher = await teacherFingerprint(info.config, tensors);
  const backend = await openBackend(given.text("device"), tuning(given));
  try {
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    const how = { count: n, ownLevels: false };
    const work = workProgress(process.stderr, "pairs");
    const { drawer, close } = await openDrawer(backend, plugins, stored, how);
    const drawn = await drawPairs(drawer, info.data, {
      count: n,
      seed,
      levels,
      pace: async (done, total) => work.tell("drawing pairs", done, total),
    });
    work.close();
    const { nfe } = drawer;
    await files.write(out, encodePairs(drawn, { teacher, sampler, seed, nfe }));
    const kept = drawn.path && `, states at ${drawn.path.levels.map((level) => +level.toPrecision(5)).join(", ")}`;
    process.stdout.write(`${out}: ${n} pairs of the teacher ${teacher.slice(0, 12)}${kept ?? ""}, NFE ${nfe}\n`);
    await close();
    return 0;
  } finally {
    await backend.close();
  }
}
