// The page of runs in headless Chromium, as a person sees it. Only with ONESTEP_BROWSER=1; with ONESTEP_SHOTS=FOLDER it also writes
// what it looks like there.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { claim } from "../../../../backends/host/claim.ts";
import { files } from "../../../../backends/host/files.ts";
import type { LocalServer } from "../../../../backends/host/localServer.ts";
import type { Command } from "../../../../core/train/mod.ts";
import { liveView } from "../../../../examples/cli/ui/liveView.ts";
import { pageFiles } from "../../../../examples/cli/ui/pageFiles.ts";
import { RunWatch } from "../../../../examples/cli/ui/runWatch.ts";
import { hasChromium } from "../../../helpers/chromium.ts";
import { complaintsOf, openBrowser } from "../../../helpers/chromiumPages.ts";
import { scratch } from "../program.ts";
import { writeRun } from "./shownRuns.ts";

const test = suite("cli/ui/browser");
const inBrowser = process.env.ONESTEP_BROWSER && hasChromium() ? test : test.skip;
const folder = scratch();
const axe = () =>
  readFileSync(createRequire(join(process.cwd(), "package.json")).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let built: ReturnType<typeof pageFiles>;
test.before(async () => {
  if (!process.env.ONESTEP_BROWSER) return;
  execFileSync(process.execPath, ["build.mjs", "page", `--out=${folder.path("built")}`]);
  built = pageFiles(pathToFileURL(`${folder.path("built")}/ui/`));
  browser = await openBrowser();
});
test.after(async () => {
  await browser?.close();
  folder.remove();
});

/** Serves runs while `use` looks at them. */
async function serving<T>(
  paths: readonly string[],
  use: (server: LocalServer) => Promise<T>,
  command?: (command: Command) => void,
) {
  const watches = paths.map((path) => new RunWatch(files, path));
  const server = await liveView({ watches, port: 0, version: "0", page: await built, command });
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

interface Look {
  readonly width?: number;
  readonly scheme?: "light" | "dark";
  readonly shot?: string;
}

/** Opens the page, waits for what it shows, uses it, and holds it to axe-core and to its own policy. */
async function looking(
  address: string,
  { width = 1200, scheme = "light", shot }: Look,
  use: (page: Page) => Promise<void> = async () => {},
) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, bypassCSP: false });
  try {
    const page = await context.newPage();
    const complaints = complaintsOf(page, new URL(address).origin);
    await page.goto(address);
    await page.waitForSelector(".card");
    await use(page);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `the page is ${wide} wide, the screen ${width}`);
    await page.setViewportSize({ width, height: Math.min(height, 6000) });
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".plot")].every((each) => each.querySelector("svg")),
    );
    if (shot && process.env.ONESTEP_SHOTS) {
      mkdirSync(process.env.ONESTEP_SHOTS, { recursive: true });
      await page.screenshot({ path: join(process.env.ONESTEP_SHOTS, `${shot}.png`) });
    }
    // The page's policy would refuse a script that is put into it, and does not hold for the debugger's.
    await page.evaluate(axe());
    const found = await page.evaluate(async () => {
      const { violations } = await (
        globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
        }
      ).axe.run();
      return violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`)}`,
      );
    });
    assert.equal(found, [], "what axe-core finds");
    assert.equal(complaints, [], "what the browser complains of");
  } finally {
    await context.close();
  }
}

const states = {
  finished: { done: 4400, end: "complete" },
  failed: { done: 2310, end: "failed", warns: true },
  killed: { done: 1600 },
  stopped: { done: 900, end: "stopped" },
  empty: undefined,
} as const;

for (const [name, shown] of Object.entries(states))
  inBrowser(`a run that is ${name}`, async () => {
    const path = writeRun(folder.path(name), shown);
    await serving([path], ({ address }) => looking(address, { shot: name }));
  });

inBrowser("a run that goes on can be steered by keyboard alone", async () => {
  const path = writeRun(folder.path("running"), { done: 2731, warns: true });
  const held = await claim(join(path, "run.lock"));
  const commands: Command[] = [];
  try {
    await serving(
      [path],
      async ({ address }) => {
        await looking(
          address,
          { shot: "running" },
          async (page) => void (await page.waitForSelector(".state.running")),
        );
        await looking(address, {}, async (page) => {
          await page.waitForSelector(".state.running");
          await page.getByRole("button", { name: "Pause" }).focus();
          await page.keyboard.press("Enter");
          await page.getByText("the run holds after this update").waitFor();
          await page.keyboard.press("Tab");
          await page.keyboard.press("Space");
          await page.getByText("a checkpoint is written").waitFor();
          await page.getByText("Weights of losses").focus();
          await page.keyboard.press("Enter");
          await page.getByRole("textbox", { name: "gan-generator" }).fill("0.1");
          await page.keyboard.press("Enter");
          await page.getByText("the weight of gan-generator is 0.1").waitFor();
          await page.getByRole("button", { name: "Stop …" }).press("Enter");
          await page.getByRole("button", { name: "Stop the run" }).press("Enter");
          await page.getByText("the run ends after this step").waitFor();
          await page.getByRole("slider", { name: "Step of the samples" }).focus();
          await page.keyboard.press("Home");
          await page.getByText("generator at step 275").waitFor();
          const chart = page.getByRole("slider", { name: /fake-score/ });
          await chart.focus();
          await page.keyboard.press("Home");
          assert.match((await chart.getAttribute("aria-valuetext")) ?? "", /^step 0: 0\.\d+ loss$/);
          await page.keyboard.press("Escape");
        });
      },
      (command) => void commands.push(command),
    );
  } finally {
    await held.release();
  }
  assert.equal(commands, [
    { type: "pause" },
    { type: "checkpoint" },
    { type: "set-weight", loss: "gan-generator", weight: 0.1 },
    { type: "stop" },
  ]);
});

inBrowser("two runs beside each other, with what differs between them", async () => {
  const paths = [
    writeRun(folder.path("strong"), { done: 4400, end: "complete" }),
    writeRun(folder.path("weak"), { done: 3100, end: "stopped", seed: 1, weight: 0.03 }),
  ];
  await serving(paths, ({ address }) =>
    looking(address, { shot: "two-runs" }, async (page) => {
      await page.getByRole("heading", { name: "Different: 2 of" }).waitFor();
      const rows = await page.getByRole("group", { name: "Settings that differ" }).locator("tbody tr").allInnerTexts();
      assert.equal(
        rows.map((row) => row.split(/\s+/)),
        [
          ["losses.gan-generator.weight", "0.3", "0.03"],
          ["train.seed", "0", "1"],
        ],
      );
    }),
  );
});

for (const [shot, look] of Object.entries({
  phone: { width: 380 },
  dark: { scheme: "dark" },
  "phone-dark": { width: 380, scheme: "dark" },
} as const))
  inBrowser(`the look ${shot}`, async () => {
    const path = writeRun(folder.path(`run-${shot}`), { done: 4400, end: "complete", warns: true });
    await serving([path], ({ address }) => looking(address, { ...look, shot }));
  });

inBrowser(
  "it survives a reload and another server at the same place, and keeps what it has when that ends",
  async () => {
    const path = writeRun(folder.path("kept"), { done: 1200 });
    const context = await browser.newContext();
    const page = await context.newPage();
    const watch = () => [new RunWatch(files, path)];
    const token = "0".repeat(48);
    const first = await liveView({ watches: watch(), port: 0, token, version: "0", page: await built });
    await page.goto(first.address);
    await page.waitForSelector(".plot svg");
    await page.reload();
    await page.waitForSelector(".plot svg");
    await first.close();
    await page.getByText("the program has ended; what it told stays here").waitFor();
    assert.ok((await page.locator(".plot svg").count()) > 0);
    const second = await liveView({ watches: watch(), port: first.port, token, version: "0", page: await built });
    await page.locator(".connection.live").waitFor();
    await second.close();
    await context.close();
  },
);

inBrowser("a run of 200,000 events is there within a second of the page's time", async () => {
  const path = writeRun(folder.path("long"), { done: 66_000, steps: 66_000, end: "complete", dense: true });
  const lines = readFileSync(join(path, "events.jsonl"), "utf8").split("\n").length;
  assert.ok(lines > 200_000, `${lines} lines`);
  await serving([path], async ({ address }) => {
    const page = await browser.newPage();
    // Once the server has read the log, which it does when it starts.
    await page.goto(address);
    await page.locator(".state.complete").waitFor();
    await page.goto("about:blank");
    const began = performance.now();
    await page.goto(address);
    await page.waitForSelector(".plot svg");
    const wall = performance.now() - began;
    const busy = await page.evaluate(() => performance.now());
    console.log(`long run: ${wall.toFixed(0)} ms to the first curve by the clock, ${busy.toFixed(0)} ms of the page`);
    if (process.env.ONESTEP_SHOTS) writeFileSync(join(process.env.ONESTEP_SHOTS, "long.txt"), `${wall} ms\n`);
    assert.ok(wall < 1000 || process.env.ONESTEP_BUSY, `${wall} ms`);
    await page.close();
  });
});

test.run();
