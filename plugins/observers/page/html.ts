/** Text of HTML that is sound as it stands. Only `html` makes it, so that nothing gets into a page unescaped. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: plain values are escaped, `Html` goes in as it is, lists one after the other. */
export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/** A template whose values are escaped for text and for quoted attributes: html`<p title="${title}">${words}</p>`. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, i) => text + textOf(values[i - 1]) + part));
}

function textOf(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string" || typeof value === "number") return escaped(String(value));
  return value.map(textOf).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that a document may not hold: controls, and those that turn the direction of what stands around them. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]/gu;

/** Text with U+FFFD in place of what a document may not hold. */
export const allowed = (text: string): string =>
  text.replace(FORBIDDEN, (each) => (each === "\n" || each === "\t" ? each : "\ufffd"));

/** Text that means itself in HTML. */
const escaped = (text: string): string => allowed(text).replace(/[&<>"']/g, (each) => ENTITIES[each]);
