import { html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";

/** Paragraphs, and commands as one types them. */
export interface TextSectionOptions extends SectionOptions {
  readonly lines?: readonly string[];
  /** Command lines, a line each. */
  readonly commands?: readonly string[];
}

/** Lines of text and commands to copy, as a part of a page. */
export function textSection({ title, about, lines = [], commands = [] }: TextSectionOptions): Section {
  const paragraphs = [...(about === undefined ? [] : [about]), ...lines].map((line) => html`<p>${line}</p>\n`);
  const typed = commands.length > 0 ? html`<pre><code>${commands.join("\n")}</code></pre>\n` : undefined;
  return { title, body: html`${paragraphs}${typed}` };
}
