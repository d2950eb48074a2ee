/** Elements of HTML that have no end. */
const VOID = new Set(["meta", "img", "br", "link", "input", "hr"]);

/** What is wrong with the nesting of a page's tags, as its own serialiser writes them: an end without its start, or none. */
export function unbalanced(page: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, end, name, , closed] of page.matchAll(
    /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/g,
  )) {
    if (end) {
      const last = open.pop();
      if (last !== name) wrong.push(`</${name}> ends <${last}>`);
    } else if (!closed && !VOID.has(name)) open.push(name);
  }
  const starts = page.match(/<[a-zA-Z/]/g)?.length ?? 0;
  const whole = page.match(/<\/?[a-zA-Z][\w-]*(?:\s+[\w:-]+(?:="[^"<]*")?)*\s*\/?>/g)?.length ?? 0;
  if (starts !== whole) wrong.push(`${starts - whole} tags are not whole`);
  return [...wrong, ...open.map((name) => `<${name}> has no end`)];
}
