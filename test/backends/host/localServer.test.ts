import { request as open } from "node:http";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type LocalServer, serveLocally } from "../../../backends/host/localServer.ts";
import { rejected } from "../../helpers/thrown.ts";

const test = suite("backends/host/localServer");

let server: LocalServer;
test.before(async () => {
  server = await serveLocally({
    port: 0,
    async handle({ path, method, body }, response) {
      response.end(`${method} ${path} ${method === "POST" ? (await body()).length : ""}`);
    },
  });
});
test.after(() => server.close());

/** The status and the text of an answer; without fetch, which sets some headers itself. */
const ask = (address: string, headers: Record<string, string> = {}, body?: string) =>
  new Promise<[status: number | undefined, text: string]>((resolve, reject) => {
    const asking = open(address, { headers, method: body === undefined ? "GET" : "POST" }, async (response) => {
      let text = "";
      for await (const part of response) text += part;
      resolve([response.statusCode, text]);
    });
    asking.on("error", reject);
    asking.end(body);
  });

const refusal = async (why: RegExp, address: string, headers: Record<string, string> = {}) => {
  const [status, text] = await ask(address, headers);
  assert.is(status, 403);
  assert.match(text, /^error E_REQUEST: Cannot answer: .*\n$/);
  assert.match(text, why);
};

test("listens on this machine alone, under a token that nobody guesses", () => {
  assert.match(server.address, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{48}\/$/);
});

test("answers whoever has the address", async () => {
  assert.equal(await ask(`${server.address}runs/0?v=1`), [200, "GET runs/0 "]);
  const { host } = new URL(server.address);
  assert.equal(await ask(server.address, { Origin: `http://${host}` }, "four"), [200, "POST  4"]);
  // As a forwarded port is called.
  assert.is((await ask(server.address, { Host: "localhost:9999" }))[0], 200);
});

test("refuses an address without its token", async () => {
  const { origin } = new URL(server.address);
  for (const path of ["/", "/x/", `/${"0".repeat(48)}/`, "//", "/../"]) await refusal(/token/, `${origin}${path}`);
});

test("refuses a foreign host, by whatever name", async () => {
  for (const host of ["example.com", "127.0.0.1.example.com", "192.168.0.7", "localhost.example.com:80"])
    await refusal(/the host is/, server.address, { Host: host });
});

test("refuses pages of elsewhere", async () => {
  for (const origin of ["http://example.com", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
    await refusal(/the page is of/, server.address, { Origin: origin });
  await refusal(/another site/, server.address, { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" });
});

test("a body that is too long ends with a line", async () => {
  const [status, text] = await ask(server.address, {}, "x".repeat(70_000));
  assert.is(status, 400);
  assert.match(text, /^error E_REQUEST: .*65536 bytes/);
});

test("a port that is in use is named", async () => {
  const error = await rejected(serveLocally({ port: server.port, handle() {} }));
  assert.is((error as { code?: string }).code, "E_PORT");
  assert.match(String(error), new RegExp(`Cannot listen on port ${server.port}: another program uses it`));
});

test.run();
