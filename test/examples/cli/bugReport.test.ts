// `onestep doctor --report FILE`: names that were planted must not be in it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { personal, withoutNames } from "../../../examples/cli/bugReport.ts";
import { scratch, start } from "./program.ts";

const test = suite("examples/cli bugReport");
const { path, remove } = scratch();
test.after(remove);

test("paths lose their folders and names, those of the system and of packages keep what is everybody's", () => {
  const known = { folders: ["/home/ada", "/work/secret project"], names: ["ada", "engine7"] };
  const cases: [string, string][] = [
    ["Cannot read /home/ada/cats/tom.safetensors: it is cut", "Cannot read PATH.safetensors: it is cut"],
    ['"teacher": "/data/Ada Lovelace/my weights.pt"', '"teacher": "PATH.pt"'],
    ["at file:///work/secret project/x.ts:3", "at file:PATH.ts:3"],
    ["C:\\Users\\ada\\x.bin and D:\\photos", "PATH.bin and PATH"],
    ["(/home/ada/app/node_modules/webgpu/index.js:3:1)", "(…/node_modules/webgpu/index.js:3:1)"],
    ["driver /usr/lib/x86_64/libvulkan.so", "driver /usr/lib/x86_64/libvulkan.so"],
    ["Debian GNU/Linux, @scope/name, 3 NFE/s, run/start", "Debian GNU/Linux, @scope/name, 3 NFE/s, run/start"],
    ["Ada on ENGINE7.local, adapter", "NAME on NAME.local, adapter"],
  ];
  for (const [text, clean] of cases) assert.is(withoutNames(text, known), clean);
});

test("names that every machine has are words, all others are left out", () => {
  const { names, folders } = personal({ USER: "ada", LOGNAME: "root", HOSTNAME: "engine7.lan", HOME: "/home/ada" });
  assert.ok(names.includes("ada") && names.includes("engine7.lan") && !names.includes("root"));
  assert.ok(folders.includes("/home/ada") && folders.includes(process.cwd()));
  for (const name of [userInfo().username, hostname()]) assert.ok(names.includes(name) || name === "root", name);
});

test("the report of a machine and a run has what matters, and none of the planted names", async () => {
  const home = path("plantedhome");
  const run = `${home}/plantedrun`;
  mkdirSync(run, { recursive: true });
  const events = [
    {
      type: "run/start",
      at: 0,
      seed: 0,
      steps: 4,
      stages: [{ name: "distillation", steps: 4 }],
      device: "wasm",
      config: {},
    },
    { type: "run/failed", at: 1, step: 2, error: { message: `Cannot read ${home}/plantedcats/tom.png: it is cut` } },
    { type: "run/end", at: 1, steps: 2, reason: "failed" },
  ];
  writeFileSync(`${run}/events.jsonl`, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const config = {
    dataset: { use: "images", path: `${home}/planted photos/of plantedname.safetensors` },
    network: { use: "mlp" },
    method: { use: "dmd2" },
    train: { seed: 3 },
  };
  writeFileSync(`${run}/config.json`, JSON.stringify(config, undefined, 2));
  const env = {
    HOME: home,
    USER: "plantedname",
    HOSTNAME: "plantedhost",
    SECRET_TOKEN: "plantedsecret",
    PLANTED_VARIABLE: "1",
    ONESTEP_WIDE: "off",
    MESA_VK_DEVICE_SELECT: "plantedname",
  };
  const out = path("report.md");
  const { code, stderr } = await (await start(["doctor", run, "--report", out], env)).ended;
  assert.is(code, 0, stderr);
  const report = readFileSync(out, "utf8");
  assert.not.match(report, /planted/i);
  assert.match(report, /^runtime +node /m);
  assert.match(report, /^--device auto uses /m);
  assert.match(report, /Cannot read PATH\.png: it is cut/);
  assert.match(report, /"path": "PATH\.safetensors"/);
  assert.match(report, /"seed": 3/);
  assert.match(report, /^ONESTEP_WIDE=off$/m);
  assert.match(report, /^MESA_VK_DEVICE_SELECT=NAME$/m);
  const again = await (await start(["doctor", "--report", out], env)).ended;
  assert.is(again.code, 1);
  assert.match(again.stderr, /^error E_FILE: Cannot write .*report\.md: it is there already\nfix: choose another name/);
  assert.is(readFileSync(out, "utf8"), report);
  const nowhere = await (await start(["doctor", "--report", path("none/r.md")], env)).ended;
  assert.match(nowhere.stderr, /there is no such folder/);
});

test.run();
