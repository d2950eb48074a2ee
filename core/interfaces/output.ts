import { type Token, token } from "../di/token.ts";
import type { FileSystem } from "../io/files.ts";

/** The folder that the results of a run go to. */
export interface OutputFolder {
  readonly files: FileSystem;
  readonly path: string;
}

/** Where plugins may write files of their own; not provided by a run that writes none. */
export const OUTPUT_FOLDER: Token<OutputFolder> = token<OutputFolder>("output folder");
