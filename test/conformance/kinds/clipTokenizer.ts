import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { CLIP_CONTEXT } from "../../../plugins/encoders/shared/clipContext.ts";
import { ClipTokenizer } from "../../../plugins/encoders/shared/clipTokenizer.ts";
import type { Job, Kind } from "../kind.ts";
import { only } from "../settings.ts";

/** The merges of openai/CLIP, beside the cases. */
const MERGES = "clip_bpe_simple_vocab_16e6.txt.gz";

/** Runs `clip_tokenizer`: tokens of texts, and rows filled up in both ways. */
export const clipTokenizerKind: Kind = {
  name: "clip-tokenizer",
  matches: ({ file }) => file.startsWith("clip_tokenizer"),
  run: runTokenizer,
};

async function runTokenizer({ reference, set, check, checkRatio }: Job): Promise<void> {
  const { config } = reference;
  const tokenizer = new ClipTokenizer(gunzipSync(readFileSync(`${set.folder}/${MERGES}`)).toString("utf8"), MERGES);
  only(config, "start_token", tokenizer.start);
  only(config, "end_token", tokenizer.end);
  only(config, "context_length", CLIP_CONTEXT);
  const strings: string[] = [...config.strings];
  const ids: number[][] = config.ids.map((row: number[]) => [...row]);
  for (const [i, text] of strings.entries()) {
    const same = tokenizer.encode(text).join() === ids[i].join();
    checkRatio(same ? 0 : Number.POSITIVE_INFINITY, `tokens of text ${i}`);
  }
  check(tokenizer.rows(strings, "end"), "out.padded_end");
  check(tokenizer.rows(strings, "zero"), "out.padded_zero");
}
