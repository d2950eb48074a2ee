import { spawn } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { onInterrupt } from "../../../backends/host/interrupt.ts";
import { bundle, deno } from "../webgpu/adapter/child.ts";

test("the first press asks, an echo of it is ignored, a later one kills", async () => {
  const heard: string[] = [];
  const end = onInterrupt(
    () => heard.push("ask"),
    () => heard.push("kill"),
  );
  process.emit("SIGINT");
  process.emit("SIGINT");
  assert.equal(heard, ["ask"]);
  await new Promise((done) => setTimeout(done, 550));
  process.emit("SIGINT");
  assert.equal(heard, ["ask", "kill"]);
  end();
  assert.is(process.listenerCount("SIGINT"), 0);
});

test("a closed terminal asks like a press, and a terminal that hangs up again kills nothing", async () => {
  const heard: string[] = [];
  const end = onInterrupt(
    () => heard.push("ask"),
    () => heard.push("kill"),
  );
  process.emit("SIGHUP", "SIGHUP");
  await new Promise((done) => setTimeout(done, 550));
  process.emit("SIGHUP", "SIGHUP");
  assert.equal(heard, ["ask"]);
  process.emit("SIGTERM", "SIGTERM");
  assert.equal(heard, ["ask", "kill"]);
  end();
  assert.is(process.listenerCount("SIGHUP"), 0);
});

/** A program that waits; real signals are sent once it says that it is ready. */
const WAITS = `import { onInterrupt } from "./host/interrupt.ts";
  const timer = setInterval(() => {}, 1000);
  const end = onInterrupt(() => { console.log("asked"); if (STOPS) { clearInterval(timer); end(); } });
  console.log("ready");`;

for (const [name, command] of [
  ["Node", [process.execPath]],
  ["Deno", deno ? [deno, "run", "-A"] : undefined],
] as const) {
  test(`${name}: a program that stops when asked ends with 0`, async () => {
    if (!command) return console.log(`not run: ${name} is not installed`);
    const program = await bundle(WAITS.replace("STOPS", "true"));
    assert.equal(await press([...command, program], 1), { code: 0, output: "ready\nasked\n" });
  });

  test(`${name}: a second press ends a program that does not stop`, async () => {
    if (!command) return console.log(`not run: ${name} is not installed`);
    const program = await bundle(WAITS.replace("STOPS", "false"));
    assert.equal(await press([...command, program], 2), { code: 130, output: "ready\nasked\n" });
  });

  test(`${name}: watching does not keep a finished program alive`, async () => {
    if (!command) return console.log(`not run: ${name} is not installed`);
    const program = await bundle(
      'import { onInterrupt } from "./host/interrupt.ts"; onInterrupt(() => {}); console.log("ready");',
    );
    assert.equal(await press([...command, program], 0), { code: 0, output: "ready\n" });
  });
}

function press(command: string[], times: number) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { timeout: 15_000, killSignal: "SIGKILL" });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
      if (String(text).startsWith("ready"))
        for (let i = 0; i < times; i++) setTimeout(() => child.kill("SIGINT"), 700 * i + 50);
    });
    child.on("close", (code) => resolve({ code, output }));
  });
}

test.run();
