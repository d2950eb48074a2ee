/**
 * What the page of this folder needs beside a browser: a server for this machine, and weights made small.
 *
 *     node build.mjs browser site
 *     npm run example -- browser serve site [PORT]
 *     npm run example -- browser pack RUN/generator.safetensors examples/browser/weights/generator.safetensors.gz
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OnestepError } from "../../core/mod.ts";
import { packWeights } from "./pack.ts";
import { serveFolder } from "./server.ts";

const USAGE = "npm run example -- browser serve FOLDER [PORT], or browser pack FROM TO";

/** Ends the program with a line that says why. */
function refuse(why: string): never {
  console.error(why);
  process.exit(1);
}

async function serve(folder = "", port?: string): Promise<void> {
  if (!existsSync(join(folder, "index.html")))
    refuse(
      `Cannot serve ${folder || "the page"}: there is no index.html, make the page with \`node build.mjs browser FOLDER\``,
    );
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    refuse(`Cannot serve at port ${port}: it should be a number up to 65535`);
  try {
    const { url } = await serveFolder(folder, { port: Number(port ?? 0) });
    console.log(`${url}  (Ctrl-C ends it)`);
  } catch (error) {
    refuse(`Cannot serve at port ${port}: ${(error as Error).message}; leave the port out for one that is free`);
  }
}

function pack(from = "", to = ""): void {
  if (!existsSync(from) || !to)
    refuse(`Cannot pack ${from || "weights"}: give a file of a run and where to put it: ${USAGE}`);
  if (existsSync(to)) refuse(`Cannot write ${to}: it is there already, remove it first`);
  try {
    const packed = packWeights(readFileSync(from), from);
    writeFileSync(to, packed);
    console.log(`${to}: ${packed.length} bytes`);
  } catch (error) {
    if (error instanceof OnestepError) refuse(error.message);
    throw error;
  }
}

const [what, ...given] = process.argv.slice(2);
if (what === "serve") await serve(...given);
else if (what === "pack") pack(...given);
else refuse(`Cannot do ${what ?? "nothing"}: expected serve or pack: ${USAGE}`);
