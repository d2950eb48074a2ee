import { writeFile } from "node:fs/promises";
import { files } from "../../../backends/host/files.ts";
import { failure, suggestion } from "../../../core/errors.ts";
import { commandName } from "../asStarted.ts";
import type { Given } from "../command.ts";
import { loadRegistry } from "../registry.ts";
import { statOf } from "../statOf.ts";
import { type Creatable, creatable } from "./kinds.ts";
import { pluginText, testText } from "./pluginText.ts";

export async function run(given: Given): Promise<number> {
  const [kind, name] = given.positionals;
  if (!isCreatable(kind))
    throw failure(
      "E_USAGE",
      `Cannot create a plugin of kind "${kind}": it is not one of ${creatable.join(", ")}${suggestion(kind, creatable)}`,
      { fix: "plugins of other kinds begin with a copy of one in plugins/" },
    );
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw failure(
      "E_USAGE",
      `Cannot create ${kind} "${name}": its name should be lower-case words joined by hyphens, such as my-${kind}`,
      { fix: "choose such a name" },
    );
  if ((await loadRegistry()).has(kind, name))
    throw failure("E_DUPLICATE_PLUGIN", `Cannot create ${kind} "${name}": onestep has one of this name`, {
      fix: `choose another name, such as my-${name}`,
    });
  const folder = given.text("out") ?? ".";
  const [source, check] = [`${name}.ts`, `${name}.test.ts`].map((file) => files.join(folder, file));
  for (const file of [source, check])
    if (statOf(file))
      throw failure("E_FILE", `Cannot write ${file}: it is there already`, { fix: "choose another name or folder" });
  await files.makeDir(folder);
  // "wx": nor over a file that has come meanwhile.
  await writeFile(source, pluginText(kind, name), { flag: "wx" });
  await writeFile(check, testText(kind, name), { flag: "wx" });
  const [path, test] = [source, check].map((file) =>
    file.startsWith(".") || file.startsWith("/") ? file : `./${file}`,
  );
  const isClone = commandName().startsWith("npm run ");
  process.stdout.write(
    [
      `${path}  the plugin, an example that works: change it`,
      `${test}  its test`,
      "",
      `train   ${commandName()} train gaussians --plugin ${path} ${flags[kind](name)}`,
      // A clone is no package that Node finds, without a build; Deno reads the sources.
      isClone
        ? `test    npx deno test -A ${test}`
        : `test    node --test ${test}   (Node 22.18 or newer; or deno test -A ${test})`,
      "",
    ].join("\n"),
  );
  return 0;
}

const isCreatable = (kind: string): kind is Creatable => (creatable as readonly string[]).includes(kind);

/** What takes the plugin into the preset in the plane. */
const flags: Readonly<Record<Creatable, (name: string) => string>> = {
  loss: (name) => `--set losses.${name}.weight=0.1`,
  sampler: (name) => `--set sampler.use=${name}`,
  // The preset's own metric knows its own data only.
  dataset: (name) => `--set dataset.use=${name} --set metrics.gaussian-modes=off`,
  metric: (name) => `--set metrics.${name}={}`,
  method: (name) => `--set method.use=${name}`,
};
