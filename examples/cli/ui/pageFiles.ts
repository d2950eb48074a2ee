import { readFile } from "node:fs/promises";
import { failure } from "../../../core/errors.ts";
import { STYLE } from "../../../plugins/observers/page/style.ts";

/** The files of the page, by name. */
export type PageFiles = Readonly<Record<string, { readonly type: string; readonly content: string | Uint8Array }>>;

/**
 * Scripts, styles and streams of this server alone. The hash is of the style that Plot puts into every chart, which a test draws;
 * all other styles are in our file.
 */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'sha256-jSYQUrW7J0b3jPqhZP9C2Xh1PyJKHKXd4s0fpGGKrww='",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>onestep</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body><div id="page"><p class="loading">Reading the run …</p></div></body>
</html>
`;

/**
 * The page that the program was built with: `build.mjs` puts its files into `ui`, beside the program.
 * @throws E_FILE where they are not there
 */
export async function pageFiles(folder: URL = new URL("./ui/", import.meta.url)): Promise<PageFiles> {
  const read = (name: string) =>
    readFile(new URL(name, folder)).catch((cause) => {
      throw failure("E_FILE", `Cannot show the page: ${name} is not beside the program`, {
        cause,
        fix: "build the program again: `npm run build`",
      });
    });
  const [script, style] = await Promise.all([read("page.js"), read("page.css")]);
  return {
    "index.html": { type: "text/html; charset=utf-8", content: HTML },
    "page.js": { type: "text/javascript; charset=utf-8", content: script },
    "page.css": { type: "text/css; charset=utf-8", content: STYLE + style },
  };
}
