import { Html, html } from "./html.ts";
import type { Section } from "./section.ts";
import { STYLE } from "./style.ts";

/** A page: its heading, and its sections in order. */
export interface PageOptions {
  readonly title: string;
  /** The most important sentence, below the title: what was done, and what came of it. */
  readonly about?: string;
  readonly sections: readonly Section[];
  /** The last line, such as the program and its version. */
  readonly footer?: string;
}

/** Nothing is loaded and no script runs, whatever a page is made of. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/**
 * One HTML file that needs nothing else: pictures and curves are in it, and it opens offline, on a telephone, in the dark and on
 * paper. Of sections with the same title, links in the contents go to the right one all the same.
 */
export async function htmlPage({ title, about, sections, footer }: PageOptions): Promise<string> {
  const bodies = await Promise.all(sections.map(({ body }) => body));
  const anchor = (i: number) => `part-${i + 1}`;
  const contents = html`<nav aria-label="Contents"><ul>
${sections.map(
  (section, i) => html`<li><a href="#${anchor(i)}">${section.title}</a></li>
`,
)}</ul></nav>
`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<title>${title}</title>
<style>
${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${about === undefined ? undefined : html`<p>${about}</p>\n`}${sections.length > 2 ? contents : undefined}</header>
<main>
${sections.map(
  (section, i) => html`<section id="${anchor(i)}">
<h2>${section.title}</h2>
${bodies[i]}</section>
`,
)}</main>
${footer === undefined ? undefined : html`<footer><p>${footer}</p></footer>\n`}</body>
</html>
`;
  return page.text;
}
