import type { FuzzedParser } from "./fuzzParser.ts";
import { archiveParsers } from "./parsers/archives.ts";
import { checkpointParsers } from "./parsers/checkpoints.ts";
import { configParsers } from "./parsers/configs.ts";
import { dataSetParsers } from "./parsers/dataSets.ts";
import { imageParsers } from "./parsers/images.ts";
import { modelParsers } from "./parsers/models.ts";
import { pickleParsers } from "./parsers/pickles.ts";
import { pictureParsers } from "./parsers/pictures.ts";
import { runParsers } from "./parsers/runs.ts";
import { textParsers } from "./parsers/texts.ts";
import { weightParsers } from "./parsers/weights.ts";

/** Every reader of what others have written. */
export const parsers: readonly FuzzedParser[] = [
  ...weightParsers,
  ...modelParsers,
  ...imageParsers,
  ...pictureParsers,
  ...archiveParsers,
  ...dataSetParsers,
  ...pickleParsers,
  ...textParsers,
  ...checkpointParsers,
  ...runParsers,
  ...configParsers,
];
