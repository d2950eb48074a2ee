type Version = readonly [major: number, minor: number, patch: number];

/** `1`, `1.2`, `1.2.3`, also with `x` or `*` for what may be anything. */
const PARTIAL = String.raw`v?(\d+|[xX*])(?:\.(\d+|[xX*])(?:\.(\d+|[xX*])(?:-[\w.-]+)?(?:\+[\w.-]+)?)?)?`;
const COMPARATOR = new RegExp(`^(\\^|~|>=|<=|>|<|=)?${PARTIAL}$`);

/**
 * Whether a version is in a range as package.json writes it: `^1.2`, `~1.2.3`, `>=1 <3`, `1.x`, `1 - 2`, `^1 || ^2`, `*`. Marks of
 * versions before a release, such as `-beta.1`, are passed over. What is no range fits nothing.
 */
export function fits(version: string, range: string): boolean {
  const own = version.match(/^(\d+)\.(\d+)\.(\d+)/);
  if (!own) return false;
  const at = own.slice(1).map(Number) as unknown as Version;
  return range.split("||").some((part) => fitsAll(at, part.trim()));
}

function fitsAll(version: Version, text: string): boolean {
  const between = text.match(/^(\S+)\s+-\s+(\S+)$/);
  const comparators = between
    ? [`>=${between[1]}`, `<=${between[2]}`]
    : text.replace(/(\^|~|>=|<=|>|<|=)\s+/g, "$1").split(/\s+/);
  return comparators.every((each) => {
    if (each === "" || each === "latest") return true;
    const [, sign = "", ...parts] = each.match(COMPARATOR) ?? [];
    return parts.length > 0 && within(version, sign, parts);
  });
}

/** Versions from `least` on and below `most` are those that the parts name. */
function within(version: Version, sign: string, parts: readonly (string | undefined)[]): boolean {
  const numbers = parts.map((part) => (part === undefined || /[xX*]/.test(part) ? undefined : Number(part)));
  const free = numbers.indexOf(undefined);
  const given = free < 0 ? 3 : free;
  const least = numbers.map((each, i) => (i < given ? each! : 0)) as unknown as Version;
  /** The first version beyond those that agree in so many numbers. */
  const beyond = (count: number): Version | undefined =>
    count === 0
      ? undefined
      : (least.map((each, i) => (i < count - 1 ? each : i === count - 1 ? each + 1 : 0)) as never);
  const below = (most: Version | undefined) => most === undefined || compare(version, most) < 0;
  const from = compare(version, least) >= 0;
  if (sign === ">=") return from;
  if (sign === "<") return given > 0 && !from;
  if (sign === ">") return given > 0 && !below(beyond(given));
  if (sign === "<=") return below(beyond(given));
  if (sign === "~") return from && below(beyond(Math.min(given, 2)));
  // ^0.2.3 is below 0.3.0, ^0.0.3 below 0.0.4: the first number that is not 0 stays.
  const first = least.slice(0, given).findIndex((each) => each > 0);
  if (sign === "^") return from && below(beyond(first < 0 ? given : first + 1));
  return from && below(beyond(given));
}

const compare = (a: Version, b: Version): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
