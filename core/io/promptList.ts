import { damaged } from "./byteSource.ts";
import { decodePickle } from "./pickledData.ts";

/** Letters of a prompt; a longer line is no prompt, but a file of something else. */
const LONGEST = 10_000;

/**
 * The prompts of a list: text in UTF-8 with one on each line, or a list of texts that Python has pickled, as DMD2's evaluation
 * keeps them. Spaces around a prompt are left out; their order is that of the file.
 * @throws E_DATA for an empty list, an empty line between others, or what is no text
 */
export function decodePrompts(bytes: Uint8Array, from: string): string[] {
  const prompts = bytes[0] === 0x80 ? pickled(bytes, from) : lines(bytes, from);
  if (prompts.length === 0) throw damaged({ name: from }, "it has no prompts, should have one on each line", FIX);
  for (const [i, prompt] of prompts.entries())
    if (prompt === "" || prompt.length > LONGEST)
      throw damaged(
        { name: from },
        `prompt ${i + 1} of ${prompts.length} ${prompt === "" ? "is empty" : `has ${prompt.length} letters, should have ${LONGEST} at most`}`,
        FIX,
      );
  return prompts;
}

const FIX = "write one prompt on each line, in UTF-8";

function lines(bytes: Uint8Array, from: string): string[] {
  let text: string;
  try {
    // A mark of the byte order at the beginning is left out.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw Object.assign(damaged({ name: from }, "it is no text in UTF-8", FIX), { cause });
  }
  const all = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  while (all.at(-1) === "") all.pop();
  return all;
}

function pickled(bytes: Uint8Array, from: string): string[] {
  const value = decodePickle(bytes, from);
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string"))
    throw damaged({ name: from }, "it is a pickle, but no list of texts", FIX);
  return value.map((each) => each.trim());
}
