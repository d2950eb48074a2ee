/**
 * The first key that an object inside a JSON text holds twice, or undefined. `JSON.parse` silently keeps the last of them,
 * so two readers of one file could see different contents. `json` must be a text that `JSON.parse` accepts.
 */
export function repeatedKey(json: string): string | undefined {
  // Strings are matched whole, so brackets and colons inside them are never seen as structure.
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/gs;
  const open: Set<string>[] = [];
  let last = "";
  for (const [token] of json.matchAll(tokens)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token !== ":") last = token;
    else {
      const key = JSON.parse(last) as string;
      const seen = open[open.length - 1];
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}
