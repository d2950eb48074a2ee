import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

/** What of the page's folder is sent as what. */
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".gz": "application/gzip",
};

/** The policy that the page works under; index.html has it as well, but workers only hear what their own file is sent with. */
export const POLICY: string = [
  "default-src 'none'",
  // WebAssembly is compiled in the page: kernels, and a module for every program. Text is never run as code.
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Makes a page cross-origin isolated, so that it gets SharedArrayBuffer. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** How the folder is served. */
export interface ServeOptions {
  /** Any that is free when absent. */
  readonly port?: number;
  /** Whether the page is cross-origin isolated; by default it is. */
  readonly isolated?: boolean;
  /** Where it lies on the server, "/" by default. */
  readonly path?: string;
  /** Hears of each answer: the file and the bytes of it. */
  readonly sent?: (file: string, bytes: Uint8Array) => void;
}

/** Whether it is a file now: the page may be built anew while it is served. */
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** Serves a folder to this machine alone. Resolves with the address of the page. */
export async function serveFolder(
  folder: string,
  { port = 0, isolated = true, path: base = "/", sent }: ServeOptions = {},
): Promise<{ readonly url: string; readonly server: Server }> {
  const files = new Set(readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll("\\", "/")));
  const server = createServer(({ url = "/", method, headers }, response) => {
    const { port: own } = server.address() as AddressInfo;
    // A page of somebody else whose name leads here by DNS sends another host.
    const isHere = [`127.0.0.1:${own}`, `localhost:${own}`].includes(headers.host ?? "");
    const [asked] = url.split("?");
    const name = asked === base ? "index.html" : asked.slice(base.length);
    const isThere = asked.startsWith(base) && files.has(name) && isFile(join(folder, name));
    if (!isHere || !isThere || !["GET", "HEAD"].includes(method ?? "")) {
      response.writeHead(isHere ? 404 : 403, { "Content-Type": "text/plain" }).end();
      return;
    }
    const bytes = readFileSync(join(folder, name));
    response.writeHead(200, {
      "Content-Type": types[extname(name)] ?? "application/octet-stream",
      "Content-Length": bytes.length,
      "Content-Security-Policy": POLICY,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
      ...(isolated && ISOLATION),
    });
    sent?.(name, bytes);
    response.end(method === "HEAD" ? undefined : bytes);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const { port: own } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${own}${base}`, server };
}
