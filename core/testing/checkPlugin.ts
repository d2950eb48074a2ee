import { type AnyPlugin, isPlugin, listOptions, parseOptions } from "../plugin/mod.ts";

import { show } from "../plugin/spec.ts";

/**
 * Checks what must be true of every plugin: it is one, it and its options say what they do, its defaults are valid, options
 * survive a config file (JSON) and the command line (text), and a name it does not know is refused. `given` are options to
 * check besides the defaults. Throws an error that lists every problem.
 *
 * @example
 * test("dmd is a well-formed plugin", () => checkPlugin(dmdLoss, { sigmaMax: 10 }));
 */
export function checkPlugin(plugin: AnyPlugin, ...given: unknown[]): void {
  const problems = isPlugin(plugin)
    ? [...missingWords(plugin), ...[{}, ...given].flatMap((options) => lost(plugin, options))]
    : ["it was not made with definePlugin"];
  if (problems.length === 0) return;
  const name = isPlugin(plugin) ? plugin.definition.name : show(plugin);
  throw new Error(`Cannot accept plugin ${name}: ${problems.join("; ")}`);
}

function missingWords({ definition }: AnyPlugin): string[] {
  const silent = listOptions(definition.options).filter((row) => row.about.trim() === "");
  return [
    ...(definition.about.trim() === "" ? ["about is empty"] : []),
    ...silent.map((row) => `option ${row.name} has an empty about`),
  ];
}

function lost(plugin: AnyPlugin, given: unknown): string[] {
  const { name, options: specs } = plugin.definition;
  try {
    const { options } = plugin.configure(given);
    const json = JSON.stringify(options);
    const problems: string[] = [];
    if (JSON.stringify(plugin.configure(JSON.parse(json)).options) !== json)
      problems.push(`options ${json} do not survive a config file`);
    for (const [option, spec] of Object.entries(specs)) {
      const value = options[option];
      const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "none");
      const again = plugin.configure({ ...options }, [[option, text]]).options;
      if (JSON.stringify(again) !== json)
        problems.push(`option ${option} (${spec.expected}) does not survive --set ${option}=${text}`);
    }
    const strange = `${Object.keys(specs).join("")}?`;
    if (!throws(() => parseOptions(name, specs, { [strange]: 0 })))
      problems.push("it accepts an option it does not know");
    return problems;
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}
