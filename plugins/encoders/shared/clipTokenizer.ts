import { decodeHTML } from "entities";
import { failure } from "../../../core/errors.ts";
import { CLIP_CONTEXT } from "./clipContext.ts";

/** Tokens of CLIP's vocabulary. */
const VOCABULARY = 49_408;
/** Those that are no merged pair: a sign for each byte within a word and at its end, start and end. */
const UNMERGED = 2 * 256 + 2;
const START = "<|startoftext|>";
const END = "<|endoftext|>";

/** Special tokens, English endings, words, single digits, and runs of other signs. */
const PIECES = /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/giu;

/**
 * CLIP's byte-pair encoding (Sennrich et al. 2015, arXiv:1508.07909), as openai/CLIP has it without ftfy: entities of HTML are
 * read twice, white space is one blank, letters are small.
 */
export class ClipTokenizer {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #known: Map<string, readonly number[]>;
  /** Tokens by their ids. */
  readonly #tokens: readonly string[];

  /**
   * @param merges text of `merges.txt` or `bpe_simple_vocab_16e6.txt`: a line of comment, then a pair of tokens a line
   * @param size tokens of the vocabulary; the file may have more pairs than it needs
   * @throws E_DATA when it has fewer pairs than the vocabulary needs
   */
  constructor(merges: string, from = "merges.txt", size = VOCABULARY) {
    const needed = Math.max(size - UNMERGED, 0);
    const pairs = merges.split(/\r?\n/).slice(1, 1 + needed);
    const bad = pairs.findIndex((line) => line.split(" ").length !== 2);
    if (pairs.length < needed || bad >= 0)
      throw failure(
        "E_DATA",
        `Cannot read ${from}: ${bad >= 0 ? `line ${bad + 2} is no pair of tokens` : `it has ${pairs.length} pairs of tokens`}, expected ${size === VOCABULARY ? "CLIP's" : "the"} ${needed}${size === VOCABULARY ? "" : ` of a vocabulary of ${size}`}`,
      );
    const letters = [...BYTE_SIGNS].sort((a, b) => Number(a >= FIRST_STAND_IN) - Number(b >= FIRST_STAND_IN));
    const tokens = [
      ...letters,
      ...letters.map((letter) => `${letter}</w>`),
      ...pairs.map((line) => line.replace(" ", "")),
      START,
      END,
    ];
    this.#tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    this.#ranks = new Map(pairs.map((line, rank) => [line, rank]));
    this.#known = new Map([START, END].map((token) => [token, [this.#ids.get(token)!]]));
  }

  get start(): number {
    return this.#ids.get(START)!;
  }
  get end(): number {
    return this.#ids.get(END)!;
  }

  /** Tokens of a text, without start and end. */
  encode(text: string): number[] {
    const plain = unescaped(unescaped(text)).replace(/\s+/g, " ").trim().toLowerCase();
    return (plain.match(PIECES) ?? []).flatMap((piece) => this.#piece(piece));
  }

  /**
   * Rows of `CLIP_CONTEXT` tokens, from the start token to the end token. A longer text is cut, and its row ends with the end token.
   * @param padding what fills a row: the end token in Stable Diffusion 1.x and SDXL's first tower, 0 in its second
   * @param prefix text whose tokens stand before those of each text, as in DMD2's CLIP score
   * @returns [texts, 77], row-major
   */
  rows(texts: readonly string[], padding: "end" | "zero", prefix = ""): Int32Array {
    const rows = new Int32Array(texts.length * CLIP_CONTEXT).fill(padding === "end" ? this.end : 0);
    const before = this.encode(prefix);
    for (const [i, text] of texts.entries()) {
      const tokens = [...before, ...this.encode(text)].slice(0, CLIP_CONTEXT - 2);
      rows.set([this.start, ...tokens, this.end], i * CLIP_CONTEXT);
    }
    return rows;
  }

  /** What is left out of a text where its row is full, as tokens spell it; undefined for a text that fits. */
  cut(text: string): string | undefined {
    const left = this.encode(text).slice(CLIP_CONTEXT - 2);
    return left.length > 0 ? this.decode(left) : undefined;
  }

  /** The text that tokens spell, a blank after each word. */
  decode(ids: readonly number[]): string {
    const bytes = ids.flatMap((id) => {
      const token = this.#tokens[id] ?? "";
      const spelt = Array.from(token.replace(/<\/w>$/, ""), (sign) => BYTE_SIGNS.indexOf(sign));
      return token.endsWith("</w>") ? [...spelt, 32] : spelt;
    });
    return new TextDecoder().decode(Uint8Array.from(bytes)).trim();
  }

  #piece(piece: string): readonly number[] {
    const known = this.#known.get(piece);
    if (known) return known;
    const letters = Array.from(new TextEncoder().encode(piece), (byte) => BYTE_SIGNS[byte]);
    letters[letters.length - 1] += "</w>";
    const ids = this.#merged(letters).map((token) => this.#ids.get(token)!);
    this.#known.set(piece, ids);
    return ids;
  }

  /** The letters with the pair of lowest rank merged, wherever it stands, until no pair is known. */
  #merged(letters: string[]): string[] {
    let tokens = letters;
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < tokens.length; i++)
        best = Math.min(best, this.#ranks.get(`${tokens[i]} ${tokens[i + 1]}`) ?? Number.POSITIVE_INFINITY);
      if (best === Number.POSITIVE_INFINITY) return tokens;
      const next: string[] = [];
      for (let i = 0; i < tokens.length; i++) {
        const isPair = i + 1 < tokens.length && this.#ranks.get(`${tokens[i]} ${tokens[i + 1]}`) === best;
        next.push(isPair ? tokens[i] + tokens[++i] : tokens[i]);
      }
      tokens = next;
    }
  }
}

/** Entities of HTML as Python's `html.unescape` reads them: numbers of what is no sign stand for nothing there. */
const unescaped = (text: string): string =>
  decodeHTML(
    text.replace(/&#(?:x([0-9a-f]+)|(\d+));?/gi, (all, hex?: string, decimal?: string) =>
      isNoSign(hex ? Number.parseInt(hex, 16) : Number(decimal)) ? "" : all,
    ),
  );

/** Control characters but white space, and code points that Unicode keeps free; 128 to 159 are read as Windows-1252. */
const isNoSign = (code: number): boolean =>
  (code >= 1 && code <= 8) ||
  code === 11 ||
  (code >= 14 && code <= 31) ||
  code === 127 ||
  (code >= 0xfdd0 && code <= 0xfdef) ||
  (code <= 0x10ffff && (code & 0xfffe) === 0xfffe);

/** Signs from here on stand for bytes that do not print; their tokens come after those of the others. */
const FIRST_STAND_IN = String.fromCharCode(256);

/** A visible sign for each byte: bytes that print stand for themselves. */
const BYTE_SIGNS: readonly string[] = byteSigns();

function byteSigns(): string[] {
  const prints = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = FIRST_STAND_IN.charCodeAt(0);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
}
