import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { onestep, program, scratch, start, tinyConfig } from "../program.ts";
import { writeRun } from "./shownRuns.ts";

const test = suite("cli/ui/command");
const folder = scratch();
test.before(async () => {
  execFileSync(process.execPath, ["build.mjs", "page", `--out=${dirname(await program())}`]);
});
test.after(() => folder.remove());

const refused = async (words: readonly string[], code: number, line: RegExp) => {
  const ended = await onestep(...words);
  assert.match(ended.stderr, line);
  assert.match(ended.stderr, /^fix: .+$/m);
  assert.is(ended.code, code);
};

test("a run that is not there is named in a line", async () => {
  await refused(["ui", folder.path("nowhere")], 1, /^error E_CHECKPOINT: Cannot show .*: there is no such folder$/m);
  mkdirSync(folder.path("empty"));
  await refused(["ui", folder.path("empty")], 1, /^error E_CHECKPOINT: Cannot show .*: it holds no run$/m);
});

test("a port that is none, or is in use, is refused before anything is written", async () => {
  const run = writeRun(folder.path("run"), { done: 10 });
  const config = tinyConfig(folder.path("refused.json"));
  const out = folder.path("refused");
  await refused(["ui", run, "--port", "70000"], 2, /^error E_USAGE: Cannot listen on port 70000: /m);
  await refused(["train", config, "--out", out, "--ui=x"], 2, /^error E_USAGE: Cannot listen on port x: /m);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const inUse = /^error E_PORT: Cannot listen on port \d+: another program uses it/m;
  await refused(["ui", run, "--port", `${port}`], 1, inUse);
  const asked = ["train", config, "--out", out, "--device", "reference", "--ui", `${port}`];
  await refused(asked, 1, inUse);
  server.close();
  assert.not.ok(existsSync(out));
});

/** The messages of a page's stream, as they come. */
async function* messages(
  address: string,
): AsyncGenerator<{ runs: Record<string, { head?: { state: string } }>; bye?: string }> {
  const { body } = await fetch(`${address}events`);
  let rest = "";
  for await (const part of body!.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) {
    const frames = (rest + part).split("\n\n");
    rest = frames.pop() as string;
    for (const frame of frames) if (frame.startsWith("data: ")) yield JSON.parse(frame.slice("data: ".length));
  }
}

// Half a minute of a busy machine: with the browser's tests.
const slow = process.env.ONESTEP_BROWSER ? test : test.skip;

slow("a page beside a run pauses it, changes a weight, lets it go on, and ends with it", async () => {
  const config = tinyConfig(folder.path("steered.json"), { steps: 60 });
  const out = folder.path("steered");
  const { child, ended } = await start(["train", config, "--out", out, "--device", "reference", "--ui", "0"]);
  let told = "";
  const address = await new Promise<string>((resolve) =>
    child.stderr?.on("data", (text) => {
      told += text;
      const [, found] = told.match(/^ui +(http\S+\/)$/m) ?? [];
      if (found) resolve(found);
    }),
  );
  const send = async (command: object) => {
    const headers = { "Content-Type": "application/json" };
    const { status } = await fetch(`${address}command`, { method: "POST", headers, body: JSON.stringify(command) });
    return status;
  };
  // Sent before there is a run: it takes it when it begins.
  assert.is(await send({ type: "pause" }), 204);
  assert.is(await send({ type: "exit" }), 400);
  const states: string[] = [];
  let last: string | undefined;
  for await (const { runs, bye } of messages(address)) {
    const state = runs[0]?.head?.state;
    if (state !== undefined && state !== states.at(-1)) states.push(state);
    if (state === "paused" && last !== "paused") {
      assert.is(await send({ type: "set-weight", loss: "gan-generator", weight: 0.5 }), 204);
      assert.is(await send({ type: "resume" }), 204);
    }
    last = state ?? last;
    if (bye !== undefined) break;
  }
  const { code, stderr } = await ended;
  assert.is(code, 0, stderr);
  assert.is(states.at(-1), "complete");
  assert.ok(states.includes("paused"), states.join(", "));
  const commands = readFileSync(join(out, "events.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line.includes("control/received"))
    .map((line) => JSON.parse(line).command.type);
  assert.equal(
    // Where a run is held within a step, the weight waits for the end of it.
    commands.filter((type) => ["pause", "resume", "set-weight"].includes(type)).sort(),
    ["pause", "resume", "set-weight"],
  );
});

test.run();
