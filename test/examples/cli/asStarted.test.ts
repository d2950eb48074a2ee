import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { asStarted, commandName } from "../../../examples/cli/asStarted.ts";

const test = suite("examples/cli the command as it was started");

const started = (script: string, path: string[], files: string[]) => {
  const there = files.map((file) => join(file));
  return commandName({ script, path, has: (file) => there.includes(file) });
};

test("in a clone, installed for all, and installed in a project", () => {
  assert.is(started("/clone/.test/cli/main.mjs", ["/usr/bin"], ["/clone/build.mjs"]), "npm run onestep --");
  const installed = ["/usr/bin/onestep"];
  assert.is(started("/usr/bin/onestep", ["/bin", "/usr/bin"], installed), "onestep");
  assert.is(started("/app/node_modules/.bin/onestep", ["/usr/bin"], []), "npx --no-install onestep");
  // npx puts the project's folder on the path for as long as it runs.
  const project = "/app/node_modules/.bin";
  assert.is(started(`${project}/onestep`, [project, "/usr/bin"], [`${project}/onestep`]), "npx --no-install onestep");
  assert.is(started("/lib/onestep/dist/cli/main.mjs", ["/usr/bin"], ["/usr/bin/onestep.cmd"]), "onestep");
});

test("commands in texts are named as they have to be typed", () => {
  const text = "`onestep doctor` lists them, `onestep` too; a file that onestep wrote";
  assert.is(
    asStarted(text, "npm run onestep --"),
    "`npm run onestep -- doctor` lists them, `npm run onestep --` too; a file that onestep wrote",
  );
});

test.run();
