/** Deeper than anything that onestep reads, and far from what a stack holds. */
const DEEPEST = 100;

/**
 * `JSON.parse` for texts from others: whoever walks through the result, or turns it into text again, comes to its end.
 * @throws SyntaxError where it is no JSON, or lists and objects lie in each other more than 100 deep
 */
export function parseJson(json: string): unknown {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) i = endOfString(json, i);
    else if (code === BRACKET || code === BRACE) {
      if (++depth > DEEPEST) throw new SyntaxError(`nested more than ${DEEPEST} deep at position ${i}`);
    } else if (code === BRACKET + 2 || code === BRACE + 2) depth--;
  }
  return JSON.parse(json);
}

const [QUOTE, BACKSLASH, BRACKET, BRACE] = ['"', "\\", "[", "{"].map((letter) => letter.charCodeAt(0));

/** Place of the quote that ends the string which begins at `start`; the end of the text where there is none. */
export function endOfString(json: string, start: number): number {
  let end = start;
  do end = json.indexOf('"', end + 1);
  while (end > 0 && isEscaped(json, end));
  return end < 0 ? json.length : end;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(json: string, place: number): boolean {
  let first = place;
  while (json.charCodeAt(first - 1) === BACKSLASH) first--;
  return (place - first) % 2 === 1;
}

/** Whether a value is plain data of finite depth without circles, as JSON is; for values that other parsers have made. */
export function isPlainData(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return !["function", "symbol", "bigint"].includes(typeof value);
  if (depth >= DEEPEST) return false;
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((inner) => isPlainData(inner, depth + 1));
}
