/** What commands that draw from a run's weights share: which file, their flags, and where the result goes. */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { files } from "../../backends/host/files.ts";
import { failure } from "../../core/errors.ts";
import { type OptionSpecs, type OptionsOf, parseOptions, readSetting, type Setting } from "../../core/plugin/mod.ts";
import { findWeights as weightsAt } from "../engine/storedWeights.ts";
import type { Given } from "./command.ts";
import { statOf } from "./statOf.ts";

export { openDrawer, storedPlugins } from "../engine/storedWeights.ts";

/** The flags of a command that are numbers, each by its option spec. @throws OptionError */
export function readNumbers<S extends OptionSpecs>(command: string, numbers: S, given: Given): OptionsOf<S> {
  const read = Object.entries(numbers).flatMap(([flag, spec]) => {
    const text = given.text(flag);
    return text === undefined ? [] : [[flag, spec.fromText(text)]];
  });
  return parseOptions(command, numbers, Object.fromEntries(read));
}

/**
 * Whether the file of the results can be written, asked before anything is drawn.
 * @throws E_FILE when it is a folder, its folder is not there or may not be written, or a file is in the way without --force
 */
export async function checkOutput(out: string, given: Given): Promise<void> {
  const refuse = (why: string, fix: string) => failure("E_FILE", `Cannot write ${out}: ${why}`, { fix });
  const folder = dirname(out);
  const found = statOf(out);
  if (found?.isDirectory())
    throw refuse("it is a folder, should be a file", `name a file in it: --out ${files.join(out, "NAME")}`);
  if (found && !found.isFile())
    throw refuse("it is a pipe, a socket or a device, should be a file", "choose another --out");
  if (!statOf(folder)?.isDirectory())
    throw refuse(`there is no folder ${folder}`, "make the folder, or choose another --out");
  if (found && !given.on("force"))
    throw refuse("it is there already", "replace it with --force, or choose another --out");
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw refuse(`the folder ${folder} may not be written`, "choose another --out, or change its permissions");
  }
}

/** The same for a picture. @throws E_USAGE where its name promises another form than PNG */
export async function checkPicture(out: string, given: Given): Promise<void> {
  const [ending] = /\.(jpe?g|webp|gif|bmp|tiff?|avif|npz?|safetensors)$/i.exec(out) ?? [];
  if (ending !== undefined)
    throw failure("E_USAGE", `Cannot write ${out}: pictures are PNG files, and its name ends in ${ending}`, {
      fix: `name a file that ends in .png: --out ${out.slice(0, -ending.length)}.png`,
    });
  await checkOutput(out, given);
}

/** The weights file that a user means: itself, or that of the first of these roles which a run's folder has. */
export const findWeights = (given: string, roles: readonly string[]): Promise<string> => weightsAt(files, given, roles);

/** `--set name=value` of a sampler, and `--steps` as one of them. @throws OptionError */
export function samplerSettings(given: Given): Setting[] {
  const settings = given.all("set").map(readSetting);
  const steps = given.text("steps");
  return steps === undefined ? settings : [...settings, ["steps", steps]];
}
