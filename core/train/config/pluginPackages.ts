import { failure } from "../../errors.ts";
import { SettingText, show } from "../../plugin/spec.ts";

/** The packages that a config names under `plugins`. @throws E_CONFIG for what is no list of names */
export function pluginPackages(named: unknown): readonly string[] {
  if (named === undefined) return [];
  if (Array.isArray(named) && named.every((each) => typeof each === "string")) return named;
  const given = named instanceof SettingText ? named.text : show(named);
  throw failure("E_CONFIG", `Cannot read the config: plugins is ${given}, expected a list of names of packages`, {
    fix: 'write plugins: ["NAME"] into the config file, or give --plugin NAME',
  });
}
