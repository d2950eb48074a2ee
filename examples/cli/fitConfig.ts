import { files } from "../../backends/host/files.ts";
import type { Registry } from "../../core/plugin/mod.ts";
import { SettingText } from "../../core/plugin/spec.ts";
import { mergeConfig, type RunConfig } from "../../core/train/mod.ts";
import type { NamedConfig } from "./configFile.ts";

/**
 * The config of a preset or file with the settings of a command line over it. A preset that fits itself to its data does so in
 * between: settings may say what is looked for, and have the last word about what is made of it.
 * @param path the data folder; the dataset says that there should be one
 * @throws OptionError, or E_DATA where no network fits
 */
export async function fitConfig(
  { config, fit, fits = [] }: NamedConfig,
  settled: (config: RunConfig) => RunConfig,
  registry: Registry,
  path: string | undefined,
): Promise<RunConfig> {
  const wanted = settled(config);
  if (!fit || path === undefined) return wanted;
  const { use, ...options } = wanted.dataset;
  const dataset = (use as unknown) instanceof SettingText ? (use as unknown as SettingText).text : use;
  if (!fits.includes(dataset)) return wanted;
  const found = await fit(files, path, {
    use: dataset,
    ...registry.get("dataset", dataset).configure(options).options,
  });
  return settled(mergeConfig(config, found));
}
