import { statSync } from "node:fs";
import { files } from "../../../backends/host/files.ts";
import { failure } from "../../../core/errors.ts";
import { workProgress } from "../../../plugins/observers/workProgress.ts";
import { LORA_KEYS, writeLora } from "../../../plugins/pipelines/shared/writeLora.ts";
import { type WriteOptions, writeDiffusers, writeSingleFile } from "../../../plugins/pipelines/shared/writeModel.ts";
import type { Given } from "../command.ts";
import { checkOutput } from "../storedWeights.ts";
import { choiceOf, dtypeOf, partsLine } from "./asked.ts";
import { checkNewFolder, writeFolder } from "./newFolder.ts";
import { openSource, type Source } from "./source.ts";

const FORMS = ["diffusers", "single", "lora"] as const;
type Form = (typeof FORMS)[number];

/** Writes a generator, or weights of others, in a form that other programs read. */
export async function run(given: Given): Promise<number> {
  const [from, out] = given.positionals;
  const form = choiceOf("export", "to", FORMS, given);
  if (form === undefined)
    throw failure("E_USAGE", "Cannot run export: it is not said what to write", {
      fix: "give --to diffusers (a folder), --to single (one file), or --to lora (adapters)",
    });
  const keys = choiceOf("export", "lora-keys", LORA_KEYS, given);
  const dtype = dtypeOf("export", given);
  if (form === "diffusers") checkNewFolder(out, given, from, given.text("base"));
  else await checkOutput(safetensorsName(out), given);
  const role = given.text("role");
  const roles = role === undefined ? ["generator", "teacher"] : [role];
  const adaptersAlone = form === "lora" && !given.on("verify");
  const source = await openSource(from, roles, { base: given.text("base"), adaptersAlone });
  const work = workProgress(process.stderr, "tensors");
  try {
    const pace = (done: number, total: number) => work.tell("writing", done, total);
    const lines = await written(form, source, out, keys ?? "kohya", { dtype, pace });
    process.stdout.write(`${lines.join("\n")}\n`);
  } finally {
    work.close();
  }
  if (!given.on("verify")) return 0;
  const { verify } = await import("./verify.ts");
  process.stdout.write(`${await verify(source, form, out, given)}\n`);
  return 0;
}

/** @throws E_USAGE */
function safetensorsName(out: string): string {
  if (out.endsWith(".safetensors")) return out;
  throw failure("E_USAGE", `Cannot run export: the file is called "${out}", should end in .safetensors`, {
    fix: `name it ${out.replace(/\.\w+$/, "")}.safetensors; pickles of PyTorch are read, not written`,
  });
}

/** Writes, and says what and what is next, in lines. */
async function written(
  form: Form,
  { model, trained, file }: Source,
  out: string,
  keys: (typeof LORA_KEYS)[number],
  options: WriteOptions,
): Promise<string[]> {
  if (form === "lora") {
    if (!trained || trained.pairs.length === 0)
      throw failure("E_CHECKPOINT", `Cannot export ${file} as a LoRA: it has no adapters`, {
        fix: "train with generator.lora.rank above 0, or write all of it with --to diffusers or --to single",
      });
    const { pairs } = trained;
    await writeLora(files, out, { from: file, pairs }, keys, options);
    const [{ rank, alpha }] = pairs;
    return [
      `${out}: a LoRA of ${pairs.length} layers, rank ${rank}, alpha ${alpha}, ${keys}'s keys, ${size(out)}`,
      ...stepsLines(trained.sampler.timesteps),
    ];
  }
  const lines = stepsLines(model.sampler?.timesteps);
  if (form === "single") {
    await writeSingleFile(files, out, model, options);
    return [`${out}: one file, ${partsLine(model)}, ${size(out)}`, ...lines];
  }
  const lacking = await writeFolder(out, (draft) => writeDiffusers(files, draft, model, options));
  if (lacking.length > 0)
    lines.push(`warning: a complete model has ${lacking.join(", ")} too; give one that has them with --base MODEL`);
  return [`${out}: a folder for diffusers, ${partsLine(model)}`, ...lines];
}

/** How other programs are to call a few-step generator. */
const stepsLines = (timesteps: readonly number[] | undefined): string[] =>
  timesteps
    ? [
        `draw with the scheduler LCM and without guidance; in diffusers: pipe(prompt, timesteps=[${timesteps.join(", ")}], guidance_scale=0)`,
      ]
    : [];

const size = (path: string): string => `${(statSync(path).size / 2 ** 20).toFixed(1)} MiB`;
