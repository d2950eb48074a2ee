/** Pages of headless Chromium that a test looks into and clicks at; `chromium.ts` has the browser. */
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumFolder } from "./chromium.ts";

/** WebGPU, which Chromium leaves out on Linux otherwise: on SwiftShader where there is no GPU. */
export const WEBGPU = ["--enable-unsafe-webgpu"];

/** Starts the browser with more flags. The caller closes it. */
export async function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  const folder = await chromiumFolder();
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args: ["--no-sandbox", ...flags],
    env: { ...process.env, LD_LIBRARY_PATH: join(folder, "lib") } as Record<string, string>,
  });
}

/** What a page has complained of so far: errors, refusals of its policy, and requests to elsewhere than `base`. */
export function complaintsOf(page: Page, base: string): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) complaints.push(`asks for ${request.url()}`);
  });
  return complaints;
}
