// What `deno publish` would take, without sending it. Compiles the whole library twice, so it runs where ONESTEP_PUBLISH is set.
import { spawnSync } from "node:child_process";
import { realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { scratch } from "../examples/cli/program.ts";

const test = suite("the package for Deno");
const { path, remove } = scratch();
test.after(remove);

const folder = path("jsr");

/** Runs a program of this Node; fails the test unless it ends well. Gives all that it has printed. */
function node(args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  assert.is(status, 0, `${args.join(" ")}\n${stdout}${stderr}`);
  return stdout + stderr;
}
const deno = (...words: string[]) => node([resolve("node_modules/deno/bin.cjs"), ...words], folder);

const slow = process.env.ONESTEP_PUBLISH ? test : test.skip;
slow("deno publish finds no fault and no slow type, and what it would publish runs and type-checks", () => {
  node(["build.mjs", "jsr", `--out=${folder}`], process.cwd());
  symlinkSync(realpathSync("node_modules"), join(folder, "node_modules"), "junction");
  const printed = deno("publish", "--dry-run", "--allow-dirty");
  assert.match(printed, /^Simulating publish of @scope\/onestep@/m);
  // The driver of another package, which is looked for at run time.
  const warnings = [...printed.matchAll(/^(?:warning|error)\[.*/gm)].map(([line]) => line);
  assert.equal(warnings, ["warning[unanalyzable-dynamic-import]: unable to analyze dynamic import"]);
  const program = `
    import { createEngine, type Engine } from "@scope/onestep/engine";
    import { dmd2 } from "@scope/onestep/plugins";
    const engine: Engine = await createEngine({ device: "wasm", threads: 1 });
    // @ts-expect-error: there is no such option
    await createEngine({ devcie: "wasm" }).catch(({ code }) => console.log(code));
    console.log(engine.device.backend, dmd2.method.use);
    await engine.dispose();
  `;
  writeFileSync(join(folder, "program.ts"), program);
  const flags = ["--check", "--allow-read", "--allow-env", "--allow-sys"];
  assert.match(deno("run", ...flags, "program.ts"), /^E_UNKNOWN_OPTION\nwasm dmd2$/m);
});

test.run();
