// Calls a command in this process, as the program would: its words, what it prints, or the error as it would be shown.
import { commands } from "../../../../examples/cli/commands.ts";
import { errorText } from "../../../../examples/cli/exitStatus.ts";
import { parseFlags } from "../../../../examples/cli/parseFlags.ts";

async function called(name: string, words: readonly string[]): Promise<{ stdout: string; error?: string }> {
  const command = commands.find((each) => each.name === name)!;
  const { write } = process.stdout;
  let stdout = "";
  process.stdout.write = (text: string | Uint8Array) => {
    stdout += text;
    return true;
  };
  try {
    const given = parseFlags(command, words);
    await (await command.load()).run(given);
    return { stdout };
  } catch (error) {
    return { stdout, error: errorText(error) };
  } finally {
    process.stdout.write = write;
  }
}

/** What a command prints that ends well. */
export async function printed(name: string, ...words: string[]): Promise<string> {
  const { stdout, error } = await called(name, words);
  if (error !== undefined) throw new Error(error);
  return stdout;
}

/** The error of one that does not, with the way out. */
export async function refusal(name: string, ...words: string[]): Promise<string> {
  const { stdout, error } = await called(name, words);
  if (error === undefined) throw new Error(`it was done: ${stdout}`);
  return error;
}
