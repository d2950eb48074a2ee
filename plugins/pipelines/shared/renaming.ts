/** A table of names of layers in two namings, used both ways. */

/** A layer, or a whole block with the layers in it, by its path in either naming. */
export interface Renaming {
  readonly original: string;
  readonly diffusers: string;
  /** Paths within it that differ, original first. */
  readonly within?: readonly (readonly [original: string, diffusers: string])[];
}

/** Translates the name of a parameter; undefined for one that no line of the table covers. */
export type Translator = (name: string) => string | undefined;

/** The translator of a table in one direction. */
export function translator(table: readonly Renaming[], to: "original" | "diffusers"): Translator {
  const from = to === "diffusers" ? "original" : "diffusers";
  const lines = new Map(table.map((line) => [line[from], line]));
  const place = to === "diffusers" ? 0 : 1;
  return (name) => {
    for (let end = name.lastIndexOf("."); end > 0; end = name.lastIndexOf(".", end - 1)) {
      const line = lines.get(name.slice(0, end));
      if (!line) continue;
      const rest = name.slice(end + 1);
      const own = line.within?.find((pair) => rest.startsWith(`${pair[place]}.`));
      return `${line[to]}.${own ? own[1 - place] + rest.slice(own[place].length) : rest}`;
    }
    return undefined;
  };
}
