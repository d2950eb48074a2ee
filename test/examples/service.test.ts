// The service of examples/service, asked as clients ask: those that wait, that leave, that do not read, and that ask for what can't be.
import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage, type RequestOptions, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createEngine, type Engine, type Model } from "../../examples/engine/mod.ts";
import { sampleService } from "../../examples/service/service.ts";
import { tinyRun } from "./engine/tinyRun.ts";

const test = suite("examples/service");

let engine: Engine;
let model: Model;
let server: Server;
let port: number;
test.before(async () => {
  engine = await createEngine({ device: "wasm", threads: 1 });
  const training = await engine.train(tinyRun(2));
  await training.start();
  model = await engine.load(await training.weights(), { batch: 2 });
  server = sampleService(model, { count: 100_000, requests: 3, patience: 60_000 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
test.after(async () => {
  server.closeAllConnections();
  server.close();
  await engine.dispose();
});

/** An answer, whole. */
async function asked(path: string, options: RequestOptions = {}) {
  const sent = request({ host: "127.0.0.1", port, path, ...options });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, lines: text.trim().split("\n") };
}
const status = async () => JSON.parse((await asked("/status")).lines[0]);

/** A request that is begun and not read on. */
async function begun(path: string): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
  const sent = get({ host: "127.0.0.1", port, path });
  sent.on("error", () => {});
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { sent, response };
}

/** Waits until something is so. */
async function until(is: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.unreachable(`never: ${what}`);
}

test("samples come as lines, with the bits that the model gives", async () => {
  const { status, headers, lines } = await asked("/samples?count=5&seed=7");
  assert.equal([status, headers["content-type"]], [200, "application/x-ndjson"]);
  const samples = lines.map((line) => JSON.parse(line));
  const { x } = await model.sample({ count: 5, seed: 7 });
  assert.equal(
    samples.flatMap((each) => each.x),
    [...x],
  );
  assert.equal(
    samples.map(({ index, seed, nfe }) => [index, seed, nfe]),
    [0, 1, 2, 3, 4].map((index) => [index, 7, 1]),
  );
});

test("a client who does not read holds the drawing, one who leaves ends it, and the next is served", async () => {
  const before = await status();
  const { sent, response } = await begun("/samples?count=100000");
  response.pause();
  let last = -1;
  await until(async () => {
    const { drawn } = await status();
    const still = drawn === last;
    last = drawn;
    if (!still) await new Promise((resolve) => setTimeout(resolve, 200));
    return still;
  }, "the drawing waits for its reader");
  assert.ok(last > before.drawn && last < 90_000, `${last} samples drawn`);
  const waiting = asked("/samples?count=1");
  sent.destroy();
  assert.is((await waiting).status, 200);
  await until(async () => (await status()).givenUp === before.givenUp + 1, "the one who left is given up");
  assert.is((await status()).open, 0);
});

test("more requests than allowed are sent away, and those that wait are served", async () => {
  const { sent, response } = await begun("/samples?count=100000");
  response.pause();
  const waiting = [asked("/samples?seed=1"), asked("/samples?seed=2")];
  await until(async () => (await status()).open === 3, "three are open");
  const refused = await asked("/samples");
  assert.equal([refused.status, refused.headers["retry-after"]], [503, "1"]);
  assert.is(JSON.parse(refused.lines[0]).code, "E_BUSY");
  sent.destroy();
  for (const each of waiting) assert.is((await each).status, 200);
});

test("what can't be answered has a status and one line that says why", async () => {
  const cases: [path: string, options: RequestOptions, status: number, code: string, says: RegExp][] = [
    ["/", {}, 404, "E_NOT_FOUND", /there is no \/, expected \/samples/],
    ["//", {}, 400, "E_ADDRESS", /the address is not one of a file/],
    ["/samples", { method: "POST" }, 405, "E_METHOD", /the method is POST, expected GET/],
    ["/samples?count=many", {}, 400, "E_PARAMETER", /count is "many", expected a number/],
    ["/samples?count=0", {}, 400, "E_OPTION", /count must be a whole number/],
    ["/samples?count=100001", {}, 400, "E_PARAMETER", /expected at most 100000/],
    ["/samples?coutn=1", {}, 400, "E_PARAMETER", /"coutn" is not one of count, seed/],
    ["/samples?label=3", {}, 400, "E_OPTION", /has no classes/],
    ["/samples?steps=4", {}, 400, "E_OPTION", /noise levels are those it was trained for/],
    ["/samples", { headers: { host: "evil.example" } }, 403, "E_HOST", /the host is evil.example/],
    ["/samples", { headers: { origin: "http://evil.example" } }, 403, "E_ORIGIN", /another origin/],
  ];
  for (const [path, options, code, name, says] of cases) {
    const { status, lines } = await asked(path, options);
    assert.equal([status, lines.length], [code, 1], path);
    const told = JSON.parse(lines[0]);
    assert.is(told.code, name, path);
    assert.match(told.error, says);
  }
  assert.is((await status()).open, 0);
});

test.run();
