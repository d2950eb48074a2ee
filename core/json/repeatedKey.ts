import { endOfString } from "./parseJson.ts";

/**
 * The first key that an object inside a JSON text holds twice, or undefined. `JSON.parse` silently keeps the last of them,
 * so two readers of one file could see different contents. `json` must be a text that `JSON.parse` accepts.
 */
export function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  let last = "";
  for (let i = 0; i < json.length; i++) {
    const letter = json[i];
    if (letter === "{" || letter === "[") open.push(new Set());
    else if (letter === "}" || letter === "]") open.pop();
    else if (letter === '"') {
      // Strings are passed over whole, so brackets and colons inside them are never seen as structure.
      const end = endOfString(json, i);
      last = json.slice(i, end + 1);
      i = end;
    } else if (letter === ":") {
      const key = JSON.parse(last) as string;
      const seen = open[open.length - 1];
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}
