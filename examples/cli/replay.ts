import { files } from "../../backends/host/files.ts";
import { offloading } from "../../backends/host/offload.ts";
import { failure } from "../../core/errors.ts";
import { writeSafetensors } from "../../core/io/safetensorsFile.ts";
import { number } from "../../core/plugin/mod.ts";
import {
  type DumpedValue,
  leftOutText,
  type ReplayedUpdate,
  replayStep,
  resolveConfig,
  runFolder,
} from "../../core/train/mod.ts";
import { table } from "../../plugins/observers/table.ts";
import type { Given } from "./command.ts";
import { readConfig } from "./configFile.ts";
import { describeBackend, openBackend, tuning } from "./device.ts";
import { openWeights } from "./model.ts";
import { loadRegistry, ofStored } from "./registry.ts";
import { checkOutput, readNumbers } from "./storedWeights.ts";

const numbers = {
  step: number({ default: 0, min: 0, max: Number.MAX_SAFE_INTEGER, integer: true, about: "the step" }),
};

export async function run(given: Given): Promise<number> {
  const [path] = given.positionals;
  if (!given.on("step"))
    throw failure("E_USAGE", "Cannot replay a step: there is no --step, expected a number from 0 on", {
      fix: "give the step that an error or events.jsonl names, with --step N",
    });
  const { step } = readNumbers("replay", numbers, given);
  const out = given.text("out");
  const only = patternOf(given.text("only"), out);
  if (out !== undefined) await checkOutput(out, given);
  const folder = runFolder(files, path);
  if (!(await files.exists(folder.config)))
    throw failure("E_CHECKPOINT", `Cannot replay ${path}: it holds no run, a run has a config.json`, {
      fix: "give the folder of a run",
    });
  const registry = await loadRegistry(given.all("plugin"));
  const config = await readConfig(folder.config, files);
  const resolved = ofStored(() => resolveConfig(config, registry));
  const backend = await openBackend(given.text("device"), tuning(given));
  try {
    const device = describeBackend(backend);
    process.stderr.write(`device  ${device}\n`);
    const data = { files, path: given.text("data"), offload: offloading({ tell: () => {} }) };
    const dumps = out === undefined ? undefined : (name: string) => only.test(name);
    const stage = given.text("stage");
    const replay = await replayStep({ openWeights, files, folder, resolved, backend, data, stage, step, dumps });
    process.stdout.write(`step ${step} of stage ${replay.stage}, from ${replay.from}\n\n`);
    for (const update of replay.updates) process.stdout.write(`${updateText(update)}\n\n`);
    if (out !== undefined) await write(out, replay.dumped, { stage: replay.stage, step: `${step}` });
    return 0;
  } finally {
    await backend.close();
  }
}

function patternOf(text: string | undefined, out: string | undefined): RegExp {
  if (text !== undefined && out === undefined)
    throw failure("E_USAGE", "Cannot choose values: --only is given, and there is no --out to write them to", {
      fix: "add --out FILE, or leave --only out",
    });
  try {
    return new RegExp(text ?? "");
  } catch (error) {
    throw failure("E_USAGE", `Cannot read --only: ${(error as Error).message}, should be a regular expression`, {
      fix: "choose a part of a path, such as generator/",
    });
  }
}

/** What an update came to, beside what the log has of it. */
function updateText({ role, values, logged, wasLeftOut, leftOut }: ReplayedUpdate): string {
  const rows = Object.entries(values).map(([name, value]) => {
    const then = logged?.[name];
    if (then === undefined) return [name, `${value}`];
    return [name, `${value}`, `${then}`, Object.is(value, then) ? "same bits" : `differs by ${value - then}`];
  });
  const heading = logged ? [role, "now", "in the log", ""] : [role, "now"];
  const lines = [table([heading, ...rows])];
  if (wasLeftOut) lines.push("events.jsonl says that this update was left out, as it was not finite");
  else if (!logged) lines.push("events.jsonl has no readings of this update; train.logEvery decides of which it has");
  lines.push(leftOut ? `left out: ${leftOutText(leftOut)}` : "all of it is finite");
  return lines.join("\n");
}

async function write(out: string, dumped: readonly DumpedValue[], metadata: Record<string, string>): Promise<void> {
  const sources = dumped.map(({ path, shape, values }) => ({
    name: path,
    dtype: values instanceof Int32Array ? ("I32" as const) : ("F32" as const),
    shape,
    read: () => values,
  }));
  await writeSafetensors(files, out, sources, metadata);
  process.stdout.write(`${out}: ${dumped.length} values\n`);
}
