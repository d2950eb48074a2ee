// How build.mjs makes the page: `node build.mjs browser FOLDER`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");

/** The programs, by the names of their files. What several share has the name of its contents. */
const programs = {
  page: "examples/browser/page/main.ts",
  digits: "examples/browser/work/digits.ts",
  ring: "examples/browser/work/ring.ts",
  thread: "examples/browser/thread.ts",
};

/** Files that are what they are. */
const asTheyAre = [
  ...["index.html", "style.css", "icon.svg"],
  ...["generator", "teacher"].map((role) => `weights/${role}.safetensors.gz`),
];

/** Makes the page in a folder that any web server can serve, under any path. Resolves with the status of the process. */
export async function makePage(place) {
  const target = place && resolve(root, place);
  const isOther =
    target && existsSync(target) && readdirSync(target).length > 0 && !existsSync(join(target, "digits.js"));
  if (!target || isOther) {
    const why = target ? `${place} holds something else, should be empty or a page made before` : "there is no folder";
    console.error(`build.mjs: Cannot make the page: ${why}; name one, as in \`node build.mjs browser site\``);
    return 2;
  }
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: programs,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    splitting: true,
    minify: true,
    legalComments: "none",
    chunkNames: "parts/[hash]",
    outdir: target,
    write: false,
    metafile: true,
    logLevel: "warning",
  });
  const wanted = reached(metafile);
  const files = [
    ...outputFiles
      .filter(({ path }) => wanted.has(path))
      .map(({ path, contents }) => [relative(target, path), contents]),
    ...asTheyAre.map((file) => [file, readFileSync(join(here, file))]),
    ["NOTICE.txt", noticeOf(wanted, metafile)],
  ];
  // What else lies in the folder, such as a server's own files, stays.
  rmSync(join(target, "parts"), { recursive: true, force: true });
  for (const [file, contents] of files) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), contents);
  }
  console.log(`${place}: the page, ${files.length} files`);
  return 0;
}

/** Paths of the outputs that a program loads, at once or later: what is loaded by code that was left out stays behind. */
function reached({ outputs }) {
  const found = new Set();
  const isProgram = ({ entryPoint }) => Object.values(programs).includes(entryPoint);
  const waiting = Object.keys(outputs).filter((path) => isProgram(outputs[path]));
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (found.has(resolve(root, path))) continue;
    found.add(resolve(root, path));
    waiting.push(...outputs[path].imports.filter(({ external }) => !external).map(({ path: other }) => other));
  }
  return found;
}

/** What the page has to say of others: weights and data, and the licences of packages that are bundled. */
function noticeOf(wanted, { outputs }) {
  const inputs = Object.keys(outputs).flatMap((path) =>
    wanted.has(resolve(root, path)) ? Object.keys(outputs[path].inputs) : [],
  );
  const folders = inputs.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []);
  const licences = [...new Set(folders)].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((each) => /^licen[cs]e/i.test(each));
    return `${name} ${version}\n\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`;
  });
  const own = [join(here, "NOTICE.txt"), join(root, "LICENSE")].map((file) => readFileSync(file, "utf8"));
  return [...own, ...licences].join(`\n${"-".repeat(80)}\n\n`);
}
