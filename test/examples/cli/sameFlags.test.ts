import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failure } from "../../../core/errors.ts";
import { commands } from "../../../examples/cli/commands.ts";
import { errorText } from "../../../examples/cli/exitStatus.ts";
import { parseFlags } from "../../../examples/cli/parseFlags.ts";
import { loadRegistry, ofStored } from "../../../examples/cli/registry.ts";
import { sameFlags, withSameFlags } from "../../../examples/cli/sameFlags.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("examples/cli flags that are told again");

const train = commands.find(({ name }) => name === "train")!;
const given = parseFlags(train, [
  "gaussians",
  "--plugin",
  "a.ts",
  "--plugin",
  "my own/b.ts",
  "--device",
  "wasm",
  "--steps",
  "3",
]);

test("plugin files and the device, as far as the other command takes them", () => {
  assert.is(sameFlags(given, "replay"), ' --plugin a.ts --plugin "my own/b.ts" --device wasm');
  assert.is(sameFlags(given, "doctor"), ' --plugin a.ts --plugin "my own/b.ts"');
  assert.is(sameFlags(given, "inspect"), "");
  assert.is(sameFlags(parseFlags(train, ["gaussians"]), "replay"), "");
});

test("commands in the text of an error have them; those on nothing, and pages of help, stay", () => {
  const told = withSameFlags(
    "`onestep replay runs/a --step 3` shows it; `onestep plugins`, `onestep train --help`",
    given,
  );
  assert.is(
    told,
    '`onestep replay runs/a --step 3 --plugin a.ts --plugin "my own/b.ts" --device wasm` shows it; `onestep plugins`, `onestep train --help`',
  );
  const error = failure("E_DIVERGED", "Cannot go on", { fix: "`onestep replay runs/a --step 3` shows it" });
  assert.match(errorText(error, false, given), /replay runs\/a --step 3 --plugin a\.ts .*--device wasm` shows it$/);
  assert.match(errorText(error), /replay runs\/a --step 3` shows it$/);
});

test("every command that runs on a device takes the number of threads, and plugins where it draws or trains", () => {
  for (const { name, flags } of commands) if (flags.device) assert.ok(flags.threads, name);
});

test("a stored config with a plugin that is not here says how to give it again", async () => {
  const registry = await loadRegistry();
  const error = thrown(() => ofStored(() => registry.get("loss", "charbonnier")));
  assert.is(error.code, "E_MISSING_PLUGIN");
  assert.is(error.fix, "if it is a plugin of your own, give its file or package again with --plugin");
  assert.match(thrown(() => registry.get("loss", "charbonnier")).fix, /one of your own is given with --plugin FILE$/);
});

test.run();
