import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type ServeOptions, serveFolder } from "../../../examples/browser/server.ts";

const test = suite("examples/browser/server");

/** Serves a small folder while `look` asks for files of it. */
async function served(options: ServeOptions, look: (get: ReturnType<typeof getter>) => Promise<void>) {
  const parent = mkdtempSync(join(tmpdir(), "onestep-served-"));
  const folder = join(parent, "site");
  mkdirSync(join(folder, "parts"), { recursive: true });
  writeFileSync(join(parent, "secret.txt"), "secret");
  writeFileSync(join(folder, "index.html"), "<!doctype html>");
  writeFileSync(join(folder, "parts/a.js"), "export {};");
  writeFileSync(join(folder, "parts/old.js"), "export {};");
  const { url, server } = await serveFolder(folder, options);
  rmSync(join(folder, "parts/old.js"));
  try {
    await look(getter(url));
  } finally {
    server.close();
    rmSync(parent, { recursive: true });
  }
}

/** Asks for a path as it stands: fetch would tidy it up. */
const getter =
  (url: string) =>
  (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<{ status?: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      const { port } = new URL(url);
      const asked = request({ host: "127.0.0.1", port, path, headers, method }, (response) => {
        let body = "";
        response.on("data", (part) => (body += part));
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
      });
      asked.on("error", reject).end();
    });

test("sends the folder under a path, isolated and under a strict policy", async () => {
  await served({ path: "/x/" }, async (get) => {
    const page = await get("/x/");
    assert.equal([page.status, page.body], [200, "<!doctype html>"]);
    assert.is(page.headers["cross-origin-opener-policy"], "same-origin");
    assert.is(page.headers["cross-origin-embedder-policy"], "require-corp");
    const policy = String(page.headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';/);
    assert.not.match(policy, /unsafe-inline|'unsafe-eval'|blob:|data:|\*/);
    assert.is((await get("/x/parts/a.js?1")).headers["content-type"], "text/javascript; charset=utf-8");
    assert.is((await get("/")).status, 404);
  });
});

test("sends nothing from outside of the folder, and nothing to pages of others", async () => {
  await served({ isolated: false }, async (get) => {
    assert.is((await get("/parts/old.js")).status, 404, "a file that is gone, as when the page is built anew");
    for (const path of ["/../secret.txt", "/%2e%2e/secret.txt", "/parts", "/parts/../../secret.txt", "//secret.txt"])
      assert.is((await get(path)).status, 404, path);
    assert.is((await get("/", { Host: "evil.example" })).status, 403);
    assert.is((await get("/", {}, "POST")).status, 404);
    assert.is((await get("/")).headers["cross-origin-opener-policy"], undefined);
  });
});

test.run();
