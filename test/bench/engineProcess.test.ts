import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EngineProcess } from "./engineProcess.ts";

const test = suite("bench/engineProcess");

const engine = (code: string) => ({ command: process.execPath, args: ["-e", code] });
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "it did not fail",
    ({ message }: Error) => message,
  );
const hello = `console.log("its own chatter"); console.log('{"about":"an engine"}');`;

test("reads replies between chatter, and lets the engine end by itself", async () => {
  const started = await EngineProcess.start(
    engine(`${hello} process.stdin.on("data", (line) => console.log("chatter\\n" + line));`),
  );
  assert.is(started.about, "an engine");
  assert.equal(await started.ask({ ask: "round", ms: 7 }), { ask: "round", ms: 7 });
  await started.close();
  assert.not.ok(started.alive);
});

test("a request fails with the engine's reason, and the engine goes on", async () => {
  const started = await EngineProcess.start(
    engine(`${hello} process.stdin.on("data", () => console.log('{"failed":"no such case"}'));`),
  );
  assert.is(await rejection(started.ask({ ask: "release" })), "no such case");
  assert.ok(started.alive);
  await started.close();
});

test("a crash fails the request under way, with the last error it printed", async () => {
  const crash = `process.stdin.on("data", () => { throw new RangeError("out of luck"); });`;
  const started = await EngineProcess.start(engine(hello + crash));
  assert.is(await rejection(started.ask({ ask: "release" })), "RangeError: out of luck (exit status 1)");
  assert.not.ok(started.alive);
});

test("an engine that is not there fails to start", async () => {
  const start = EngineProcess.start({ command: "/no/such/engine", args: [] });
  assert.match(await rejection(start), /ENOENT/);
});

test.run();
