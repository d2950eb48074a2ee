import { join } from "node:path";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { hasSoftwareDriver } from "../../../../backends/webgpu/adapter/softwareDriver.ts";
import { bundle, deno, run } from "./child.ts";

test("a browser bundle holds no import of Node's modules or of webgpu", async () => {
  const { outputFiles, warnings } = await build({
    stdin: {
      contents: 'export * from "./open.ts"; export * from "./doctor.ts";',
      resolveDir: join(process.cwd(), "backends/webgpu/adapter"),
    },
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    logLevel: "silent",
  });
  assert.equal(warnings, []);
  assert.not.match(outputFiles[0].text, /(from|import|require\()\s*"(node:|webgpu)/);
});

/** Deno settles its Vulkan drivers once a process, so each adapter gets its own. */
async function inDeno(adapter: string) {
  const program = await bundle(`
    import { openDevice } from "./webgpu/adapter/open.ts";
    const { traits, close } = await openDevice();
    console.log(JSON.stringify(traits));
    await close();`);
  const env = { ONESTEP_ADAPTER: adapter, NO_COLOR: "1" };
  const { code, stdout, stderr } = await run(deno!, ["run", "-A", program], { env });
  assert.is(code, 0, stderr);
  const traits = JSON.parse(stdout);
  console.log(`adapter in Deno: ${traits.name} (${traits.type}, ${traits.via})`);
  return traits;
}

test("Deno opens its own adapter", async () => {
  if (!deno) return console.log("not run: Deno is not installed");
  assert.is((await inDeno("")).via, "navigator");
});

test("Deno opens the npm driver when it is asked for", async () => {
  if (!deno || !hasSoftwareDriver()) return console.log("not run: no Deno, or no npm driver");
  assert.is((await inDeno("swiftshader")).name, "SwiftShader");
});

test.run();
