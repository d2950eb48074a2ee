import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeSystem } from "../../../backends/host/system.ts";
import { bundle, deno, run } from "../webgpu/adapter/child.ts";

test("describes the machine under Node", () => {
  const system = describeSystem();
  assert.is(system.platform, process.platform);
  assert.is(system.runtime.name, "node");
  assert.ok(system.cores >= 1);
  assert.ok(system.memory! > 2 ** 27);
  if (system.platform === "linux") assert.ok(system.distribution?.id);
});

test("asks nothing that Deno would refuse without permissions", async () => {
  if (!deno) return console.log("not run: Deno is not installed");
  const program = await bundle(
    'import { describeSystem } from "./host/system.ts"; console.log(describeSystem().runtime.name);',
  );
  const { stdout, stderr } = await run(deno, ["run", "--no-prompt", program]);
  assert.is(stdout, "deno\n", stderr);
});

test.run();
