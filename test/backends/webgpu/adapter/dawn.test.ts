import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { adapterNames } from "../../../../backends/webgpu/adapter/dawn.ts";
import { hasSoftwareDriver } from "../../../../backends/webgpu/adapter/softwareDriver.ts";
import { bundle, run } from "./child.ts";

const OPEN = 'import { openDevice } from "./webgpu/adapter/open.ts";\n';
/**
 * A kernel's result is on its way when the program ends or the garbage collector comes. Whether it still arrives, or the
 * buffer went first (an AbortError), is a matter of microseconds and both are right; a crash or a hang is not.
 */
const PENDING = `
  const buffer = device.createBuffer({ size: 4, usage: 1 | 8 });
  device.queue.writeBuffer(buffer, 0, new Uint32Array([7]));
  const mapping = buffer.mapAsync(1).then(() => "mapped", (error) => error.name);
  const settled = (outcome) => ["mapped", "AbortError"].includes(outcome) || console.log(outcome);
`;

test("reads adapter names from Dawn's complaint", () => {
  const message = `no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'NVIDIA GeForce RTX 4090'
 * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'
 * backend: 'vulkan', name: 'Pete's GPU'
 * backend: 'vulkan', name: 'NVIDIA GeForce RTX 4090'
 * backend: 'null', name: 'Null backend'`;
  const names = ["NVIDIA GeForce RTX 4090", "llvmpipe (LLVM 15.0.6, 256 bits)", "Pete's GPU"];
  assert.equal(adapterNames(message), names);
  assert.equal(adapterNames("something else went wrong"), []);
});

const endings: Record<string, string> = {
  "after close": `const { close } = await openDevice(); await close(); console.log("end");`,
  "without close": `await openDevice(); console.log("end");`,
  "with a map pending": `const { device } = await openDevice(); ${PENDING} console.log("end");`,
  "after close with a map pending": `
    const { device, close } = await openDevice(); ${PENDING}
    await close();
    settled(await mapping);
    console.log("end");`,
  "when everything was collected in between": `
    async function work() { const { device } = await openDevice(); ${PENDING} settled(await mapping); }
    for (let i = 0; i < 5; i++) { const done = work(); gc(); await new Promise((r) => setTimeout(r, 20)); gc(); await done; }
    gc(); console.log("end");`,
};

for (const [when, source] of Object.entries(endings))
  test(`the process ends by itself ${when}`, async () => {
    const program = await bundle(OPEN + source);
    const { code, signal, stdout, stderr } = await run(process.execPath, ["--expose-gc", program]);
    assert.equal({ code, signal, stdout }, { code: 0, signal: null, stdout: "end\n" }, stderr);
  });

test("processes that start together share one unpacked driver", async () => {
  if (!hasSoftwareDriver()) return console.log("not run: the npm driver is not for this system");
  const cache = await mkdtemp(join(tmpdir(), "onestep-test-"));
  try {
    const program = await bundle(
      `${OPEN}const { traits, close } = await openDevice({ prefer: "swiftshader" });
      console.log(traits.name); await close();`,
    );
    const env = { XDG_CACHE_HOME: cache };
    const three = [1, 2, 3].map(() => run(process.execPath, [program], { env }));
    for (const { code, stdout, stderr } of await Promise.all(three))
      assert.equal({ code, stdout }, { code: 0, stdout: "SwiftShader\n" }, stderr);
    const left = await readdir(join(cache, "onestep"));
    assert.is(left.length, 2, "the driver, and Dawn beside its loader");
    assert.not(left.some((name) => name.endsWith(".tmp")));
  } finally {
    await rm(cache, { recursive: true });
  }
});

const LOADER = "/usr/lib/x86_64-linux-gnu/libvulkan.so.1";
const bare = existsSync(LOADER) ? `mount --bind /dev/null ${LOADER} && ` : "";

test("the npm driver serves a machine without a Vulkan loader", async () => {
  if (!hasSoftwareDriver()) return console.log("not run: the npm driver is not for this system");
  const program = await bundle(
    `${OPEN}const { traits, close } = await openDevice(); console.log(traits.name); await close();`,
  );
  if (bare && (await run("unshare", ["-m", "true"]).catch(() => ({ code: 1 }))).code !== 0)
    return console.log("not run: hiding the system's loader needs the right to unshare");
  const command = `${bare}exec ${process.execPath} ${program}`;
  const shell: [string, string[]] = bare ? ["unshare", ["-m", "sh", "-c", command]] : ["sh", ["-c", command]];
  const { code, stdout, stderr } = await run(...shell, { env: { ONESTEP_ADAPTER: "" } });
  assert.equal({ code, stdout }, { code: 0, stdout: "SwiftShader\n" }, stderr);
});

test.run();
