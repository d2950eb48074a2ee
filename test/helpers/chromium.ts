/** Headless Chromium out of the npm package whose Vulkan driver WebGPU tests use; unpacked once, without an installer. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { cacheFolder, makeOnce } from "../../backends/host/cacheFolder.ts";
import { installedPackage } from "../../backends/webgpu/adapter/packages.ts";
import { DRIVER_PACKAGE, hasSoftwareDriver, tarFiles } from "../../backends/webgpu/adapter/softwareDriver.ts";

/** Whether the package is there, and has a browser for this machine. */
export const hasChromium = (): boolean => hasSoftwareDriver();

/** The folder with the browser, unpacked: the program is `chromium`, and `lib` has libraries that systems may lack. */
export function chromiumFolder(): Promise<string> {
  const source = installedPackage(DRIVER_PACKAGE)!;
  const packed = (name: string) => brotliDecompressSync(readFileSync(join(source.folder, "bin", name)));
  return makeOnce(join(cacheFolder(), `chromium-${source.version}`), async (folder) => {
    writeFileSync(join(folder, "chromium"), packed("chromium.br"), { mode: 0o755 });
    for (const archive of ["swiftshader.tar.br", "al2023.tar.br"])
      for (const { name, bytes } of tarFiles(packed(archive))) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), bytes, { mode: 0o755 });
      }
  });
}

/** Milliseconds that a page may take. */
const PATIENCE = 60_000;

/**
 * Runs a script as a module in a page that is cross-origin isolated, and resolves with the text that it sends by
 * `POST /result`. Only where `hasChromium`.
 * @param content files that the page can fetch, by their path
 */
export async function inChromium(
  script: string,
  content: Readonly<Record<string, Uint8Array | string>> = {},
): Promise<string> {
  const folder = await chromiumFolder();
  const profile = mkdtempSync(join(tmpdir(), "onestep-chromium-"));
  const pages: Record<string, Uint8Array | string> = {
    "/": '<!doctype html><script type="module" src="/script.js"></script>',
    "/script.js": script,
    ...content,
  };
  let end = () => {};
  try {
    return await new Promise<string>((resolve, reject) => {
      const server = createServer(async (request, response) => {
        let sent = "";
        for await (const part of request) sent += part;
        if (request.method === "POST") resolve(sent);
        const path = request.url ?? "/";
        const type = path.endsWith(".js") ? "text/javascript" : path === "/" ? "text/html" : "application/octet-stream";
        response.writeHead(Object.hasOwn(pages, path) || request.method === "POST" ? 200 : 404, {
          "Content-Type": type,
          "Cross-Origin-Opener-Policy": "same-origin",
          "Cross-Origin-Embedder-Policy": "require-corp",
        });
        response.end(pages[path]);
      });
      server.on("error", reject);
      server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        const args = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, url];
        const child = spawn(join(folder, "chromium"), args, {
          stdio: "ignore",
          // Systems without a desktop lack some of its libraries.
          env: { ...process.env, LD_LIBRARY_PATH: join(folder, "lib") },
        });
        child.on("error", reject);
        child.on("exit", (code) => reject(new Error(`the browser ended with ${code} before the page was done`)));
        const timer = setTimeout(() => reject(new Error("the page took too long")), PATIENCE);
        end = () => {
          clearTimeout(timer);
          server.close();
          server.closeAllConnections();
          child.removeAllListeners("exit");
          child.kill("SIGKILL");
        };
      });
    });
  } finally {
    end();
    await new Promise((settled) => setTimeout(settled, 50));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
