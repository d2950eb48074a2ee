// The page of examples/browser in headless Chromium, as a visitor has it. Minutes of work: only with ONESTEP_BROWSER=1.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { decodeWeights } from "../../../core/mod.ts";
import { type ServeOptions, serveFolder } from "../../../examples/browser/server.ts";
import { loadRegistry } from "../../../examples/cli/registry.ts";
import { toldScale } from "../../../examples/engine/guidance.ts";
import { openDrawer, storedPlugins } from "../../../examples/engine/storedWeights.ts";
import { hasChromium } from "../../helpers/chromium.ts";
import { complaintsOf, openBrowser, WEBGPU } from "../../helpers/chromiumPages.ts";

const test = suite("examples/browser/page");
const inBrowser = process.env.ONESTEP_BROWSER && hasChromium() ? test : test.skip;

const PATIENCE = { timeout: 120_000 };
let folder = "";

test.before(() => {
  if (!process.env.ONESTEP_BROWSER) return;
  folder = mkdtempSync(join(tmpdir(), "onestep-page-"));
  execFileSync(process.execPath, ["build.mjs", "browser", folder]);
});
test.after(() => rmSync(folder || join(tmpdir(), "none"), { recursive: true, force: true }));

/** What a drawing of the page tells. */
interface Drawn {
  readonly labels: number[];
  readonly seeds: number[];
  readonly x: number[];
  readonly nfe: number;
}

/** How a page is opened: what is served how, in which browser, and what stands behind its address. */
interface Visit {
  readonly serve?: ServeOptions;
  readonly flags?: readonly string[];
  readonly context?: BrowserContextOptions;
  readonly address?: string;
}

/** Opens the page, which has to complain of nothing, and lets `look` at it. */
async function visit(
  { serve, flags, context, address = "" }: Visit,
  look: (page: Page, browser: Browser) => Promise<void>,
): Promise<void> {
  const { url, server } = await serveFolder(folder, { path: "/some/where/", ...serve });
  const browser = await openBrowser(flags);
  try {
    const page = await browser.newPage(context);
    const complaints = complaintsOf(page, url);
    await page.addInitScript(() => {
      const drawn: unknown[] = [];
      Object.assign(globalThis, { drawn });
      document.addEventListener(
        "drawn",
        ({ detail }: CustomEventInit) => drawn.push({ ...detail, x: [...detail.x] }),
        true,
      );
    });
    await page.goto(url + address);
    await look(page, browser);
    assert.equal(complaints, []);
  } finally {
    await browser.close();
    server.close();
  }
}

/** Drawing number `n` of the page, from 0. */
async function drawing(page: Page, n = 0): Promise<Drawn> {
  const handle = await page.waitForFunction((at) => (globalThis as never as { drawn: Drawn[] }).drawn[at], n, PATIENCE);
  return handle.jsonValue() as Promise<Drawn>;
}

const text = async (page: Page, id: string): Promise<string> => (await page.textContent(`#${id}`)) ?? "";

/** What Node draws on wasm with the weights that are shipped, as `onestep sample --guidance` does. */
async function inNode(seed: number, labels: readonly number[], guidance = 1.5): Promise<Float32Array> {
  const packed = readFileSync("examples/browser/weights/generator.safetensors.gz");
  const { tensors, info } = decodeWeights(gunzipSync(packed), "generator");
  const stored = { tensors, info: toldScale("draw", info, guidance) };
  const backend = await WasmBackend.open({ threads: 1, wide: false });
  const plugins = storedPlugins(stored.info, "heun", [], await loadRegistry());
  const { drawer, close } = await openDrawer(backend, plugins, stored, { count: labels.length, ownLevels: true });
  const { x } = await drawer.draw({ count: labels.length, seed, condition: { label: Int32Array.from(labels) } });
  await close();
  await backend.close();
  return x;
}

/** What the page draws first. */
const FIRST_SEED = 15;
const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

inBrowser(
  "threads, where the page is isolated: the bits of Node, and no more than 2 MB to the first digit",
  async () => {
    const sent: Uint8Array[] = [];
    const sizes = () => ({
      plain: sent.reduce((sum, bytes) => sum + bytes.length, 0),
      packed: sent.reduce((sum, bytes) => sum + Math.min(bytes.length, gzipSync(bytes).length), 0),
    });
    await visit({ serve: { sent: (_, bytes) => void sent.push(bytes) } }, async (page) => {
      const { x, seeds, nfe } = await drawing(page);
      const first = sizes();
      assert.equal([seeds[0], nfe], [FIRST_SEED, 1]);
      assert.equal(x, [...(await inNode(FIRST_SEED, all))]);
      assert.match(await text(page, "why-threads"), /^CPU, \d+ threads, relaxed SIMD$/);
      assert.match(
        await text(page, "way-reading"),
        /WebAssembly with threads. WebGPU can't be had: the browser finds no/,
      );
      assert.ok(first.plain <= 2e6, `${first.plain} bytes to the first digit`);
      await page.click("#race-go");
      await page.click("#train-start");
      await page.waitForSelector("#race-go:text('Race again')", PATIENCE);
      await page.waitForSelector("#fact-step:has-text('of')", PATIENCE);
      const whole = sizes();
      assert.ok(whole.plain <= 4e6, `${whole.plain} bytes in all`);
      console.log(`page: ${JSON.stringify({ first, whole })}`);
    });
  },
);

inBrowser("one thread, where it is not isolated: says why, with the same bits", async () => {
  await visit({ serve: { isolated: false } }, async (page) => {
    assert.equal((await drawing(page)).x, [...(await inNode(FIRST_SEED, all))]);
    assert.is(await page.evaluate(() => document.documentElement.dataset.way), "thread");
    assert.match(
      await text(page, "way-reading"),
      /on one thread\..*there is no SharedArrayBuffer, as the server does not send/,
    );
  });
});

inBrowser("WebGPU: the same digits to the eye, and a lost device is told and passed over", async () => {
  await visit({ flags: WEBGPU, address: "?way=webgpu" }, async (page) => {
    const expected = await inNode(FIRST_SEED, all);
    const { x } = await drawing(page);
    const far = farthest(x, expected);
    console.log(`page: WebGPU is within ${far.toExponential(1)} of wasm`);
    assert.ok(far < 1e-3, `${far} from what wasm draws`);
    assert.match(await text(page, "pill-text"), /^WebGPU, /);
    const destroy = (file: string) =>
      page
        .workers()
        .find((worker) => worker.url().endsWith(file))!
        .evaluate(() => (globalThis as never as { onestep: { device: GPUDevice } }).onestep.device.destroy());
    await page.click("#train-start");
    await page.waitForSelector("#fact-step:has-text('of')", PATIENCE);
    await destroy("ring.js");
    await page.waitForSelector("#train-reading.wrong", PATIENCE);
    assert.match(await text(page, "train-reading"), /the device was lost.*; start anew$/);
    assert.ok(await page.isEnabled("#train-start"));
    await destroy("digits.js");
    await page.click("#again");
    const { x: after } = await drawing(page, 1);
    assert.equal(after, [...(await inNode(FIRST_SEED + 1, all))]);
    assert.match(
      await text(page, "way-reading"),
      /^The device was lost, so it goes on with WebAssembly with threads: /,
    );
    assert.is(await page.evaluate(() => document.documentElement.dataset.way), "threads");
  });
});

inBrowser("a software adapter for WebGPU is passed over where nobody asks for it", async () => {
  await visit({ flags: WEBGPU }, async (page) => {
    await drawing(page);
    assert.is(await page.evaluate(() => document.documentElement.dataset.way), "threads");
    assert.match(
      await text(page, "why-webgpu"),
      /^not now: its only adapter here, .*SwiftShader.*, computes on the CPU/,
    );
  });
});

inBrowser("without SIMD: says so and draws in plain JavaScript, one by one", async () => {
  // V8 has no vectors where the processor has no SSE 4.1.
  await visit({ flags: ["--js-flags=--no-enable-sse4-1"], address: "#74/7" }, async (page) => {
    const { x } = await drawing(page);
    const far = farthest(x, await inNode(7, [7, 4]));
    assert.ok(far < 1e-3, `${far} from what wasm draws`);
    assert.match(await text(page, "way-reading"), /plain JavaScript\..*this JavaScript engine has no WebAssembly SIMD/);
    for (const id of ["race-go", "train-start", "drift"]) assert.ok(await page.isDisabled(`#${id}`), id);
    assert.is(await text(page, "race-reading"), "too slow in plain JavaScript");
  });
});

inBrowser("one call takes at most a twentieth of the teacher's time", async () => {
  await visit({ serve: { isolated: false } }, async (page) => {
    await drawing(page);
    await page.click("#race-go");
    await page.waitForSelector("#race-go:text('Race again')", PATIENCE);
    const [, part] = /^the generator took 1\/(\d+) of/.exec(await text(page, "race-reading")) ?? [];
    assert.ok(Number(part) >= 20, await text(page, "race-reading"));
    assert.match(await text(page, "teacher-figure"), /^35 network calls a digit/);
  });
});

inBrowser("one digit is drawn anew and the others stay; the keyboard reaches all of it", async () => {
  await visit({ serve: { isolated: false }, address: "#3141/5" }, async (page) => {
    const before = await drawing(page);
    assert.equal(before.labels, [3, 1, 4, 1]);
    const reached: string[] = [];
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement?.id || document.activeElement?.ariaLabel || ""));
    }
    const anew = [3, 1, 4, 1].map((digit) => `${digit}, draw it anew`);
    const fields = ["ink", "pixels", "text", "seed", "again", "drift", "guidance", "race-go"];
    assert.equal(reached, ["skip", "pill", ...anew, ...fields, "train-start", "way-thread"]);
    await page.focus("#digits li:nth-child(2) button");
    await page.keyboard.press("Enter");
    const after = await drawing(page, 1);
    const changed = [0, 1, 2, 3].filter(
      (i) => farthest(before.x.slice(256 * i, 256 * (i + 1)), after.x.slice(256 * i, 256 * (i + 1))) > 0,
    );
    assert.equal(changed, [1]);
    await page.fill("#text", "12a");
    assert.ok(await page.$("#text:invalid"));
    await page.fill("#text", "8");
    assert.equal((await drawing(page, 2)).labels, [8]);
    assert.match(page.url(), /#8\/5$/);
    await page.fill("#guidance", "4");
    assert.equal((await drawing(page, 3)).x, [...(await inNode(5, [8], 4))]);
    assert.is(await text(page, "guidance-value"), "4.0");
    await page.click("#drift");
    await drawing(page, 6);
    await page.click("#drift");
  });
});

inBrowser("trains while the page stays awake: start, pause, stop", async () => {
  await visit({ serve: { isolated: false } }, async (page) => {
    await drawing(page);
    await page.click("#train-start");
    const step = async () => Number((await text(page, "fact-step"))?.split(" ")[0]) || 0;
    await page.waitForSelector("#fact-step:has-text('of')", PATIENCE);
    const slowest = await page.evaluate(async () => {
      let most = 0;
      for (let i = 0; i < 60; i++) {
        const start = performance.now();
        await new Promise(requestAnimationFrame);
        most = Math.max(most, performance.now() - start);
      }
      return most;
    });
    console.log(`page: the slowest of 60 frames took ${slowest.toFixed(0)} ms while it trained`);
    assert.ok(slowest < 1000, `a frame took ${slowest} ms`);
    await page.click("#train-pause");
    await page.waitForTimeout(1500);
    const held = await step();
    await page.waitForTimeout(1500);
    assert.is(await step(), held);
    await page.click("#train-pause");
    await page.waitForFunction(
      (than) => Number.parseInt(document.getElementById("fact-step")!.textContent!, 10) > than,
      held,
      PATIENCE,
    );
    await page.click("#train-stop");
    await page.waitForFunction(
      () => document.getElementById("train-reading")!.textContent === "stopped",
      undefined,
      PATIENCE,
    );
    assert.ok(await page.isEnabled("#train-start"));
  });
});

for (const [name, context] of Object.entries<BrowserContextOptions>({
  light: {},
  dark: { colorScheme: "dark" },
  narrow: { viewport: { width: 380, height: 780 } },
}))
  inBrowser(`axe finds nothing to mend, ${name}`, async () => {
    await visit({ serve: { isolated: false }, context }, async (page) => {
      await drawing(page);
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as never as {
          axe: { run(): Promise<{ violations: { id: string; nodes: object[] }[] }> };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes).slice(0, 300)}`);
      });
      assert.equal(violations, []);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.is(wide, 0, "it scrolls sideways");
    });
  });

test.run();
