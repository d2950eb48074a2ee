/** Flags and files that the commands on models share. */
import { files } from "../../../backends/host/files.ts";
import { failure, suggestion } from "../../../core/errors.ts";
import type { ModelParts } from "../../../core/interfaces/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import { WRITTEN_DTYPES, type WrittenDtype } from "../../../plugins/pipelines/shared/floatEntry.ts";
import { openLora } from "../../../plugins/pipelines/shared/loraFile.ts";
import { mergeLora } from "../../../plugins/pipelines/shared/mergeLora.ts";
import type { Given } from "../command.ts";
import { statOf } from "../statOf.ts";

/** A flag that is one of some words; undefined where it is not given. @throws E_USAGE */
export function choiceOf<T extends string>(
  command: string,
  flag: string,
  known: readonly T[],
  given: Given,
): T | undefined {
  const text = given.text(flag);
  if (text === undefined || known.includes(text as T)) return text as T | undefined;
  throw failure(
    "E_USAGE",
    `Cannot run ${command}: --${flag} is "${text}", should be one of ${known.join(", ")}${suggestion(text, known)}`,
    { fix: `give one of them with --${flag}` },
  );
}

/** The type that `--dtype` names. @throws E_USAGE */
export const dtypeOf = (command: string, given: Given): WrittenDtype | undefined =>
  choiceOf(command, "dtype", Object.keys(WRITTEN_DTYPES) as WrittenDtype[], given);

/** A model with the LoRA files that `--lora FILE[:scale]` names in it, and a line about each. @throws E_USAGE or as `mergeLora` does */
export async function withLoras(
  model: ModelParts,
  given: readonly string[],
): Promise<{ model: ModelParts; told: string[] }> {
  const told: string[] = [];
  let merged = model;
  for (const text of given) {
    const { path: file, scale } = loraOf(text);
    const done = mergeLora(merged, await openLora(files, file), scale);
    merged = done.model;
    const passed = done.passedOver.length;
    told.push(
      `${file}: ${done.layers} layers changed, scale ${scale}${passed > 0 ? `; ${passed} of text encoders, which are not there, passed over` : ""}`,
    );
  }
  return { model: merged, told };
}

/** `FILE:scale`; a colon may also be part of the file's name. */
export function loraOf(text: string): { path: string; scale: number } {
  const found = /^(.+):([-+.\de]+)$/i.exec(text);
  if (!found || statOf(text)) return { path: text, scale: 1 };
  const scale = Number(found[2]);
  if (!Number.isFinite(scale))
    throw failure("E_USAGE", `Cannot add a LoRA: the scale of "${text}" is ${found[2]}, should be a number`, {
      fix: "give it as --lora FILE:0.8",
    });
  return { path: found[1], scale };
}

/** How many numbers a part has: "859,520,964 parameters". */
export const parameters = (tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>): string =>
  `${Object.values(tensors)
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    .toLocaleString("en")} parameters`;

/** "unet 859,520,964 parameters, vae …" */
export const partsLine = ({ parts }: ModelParts): string =>
  Object.entries(parts)
    .map(([name, { tensors }]) => `${name} ${parameters(tensors)}`)
    .join(", ");
