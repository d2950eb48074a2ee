/**
 * Runs the commands of the READMEs and guides that need no file of the user's and no second machine, each page in a folder of its own,
 * with few steps and samples. It takes minutes: with ONESTEP_GUIDES=1, or a part of a page's name, alone. Without it the commands are
 * only read, by test/examples/pageCommands.test.ts.
 */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../../examples/cli/commands.ts";
import { parseFlags } from "../../examples/cli/parseFlags.ts";
import { encodePng } from "../../plugins/observers/drawing/png.ts";
import { idxBytes } from "../helpers/idx.ts";
import { scratch, start } from "./cli/program.ts";
import { allPages, commandsOf, type PageCommand, wordsOfOnestep } from "./pageCommands.ts";

const test = suite("commands of the guides, run");
const wish = process.env.ONESTEP_GUIDES ?? "";
const pages = wish === "" ? [] : allPages().filter((page) => wish === "1" || page.includes(wish));

/** Guides whose commands need nothing but what stands in for the user's pictures: all of them are run. */
const COMPLETE = ["first-run", "own-data", "few-step", "plugins", "pictures", "troubleshooting"].map(
  (name) => `examples/guides/${name}.md`,
);

/** What takes long, or has tests of its own that run it. */
const ELSEWHERE = /^(arena|ablate|conformance|ui|plan sdxl\S*)( |$)/;

/** Flags that name something that has to be there. */
const INPUTS = ["data", "plugin", "model", "teacher", "reference", "lora", "unet", "vae", "prompts", "base"];
/** Commands whose operands do. */
const READS = ["sample", "evaluate", "compare", "inspect", "export", "convert", "pairs", "replay", "doctor", "data"];

/** Puts what stands in for a user's files into a folder: pictures of three classes, digits, and the examples of this repository. */
function furnish(folder: string): void {
  for (const name of ["examples", "test"]) symlinkSync(resolve(name), join(folder, name));
  for (const [at, name] of ["circle", "square", "triangle"].entries()) {
    mkdirSync(join(folder, "pictures", name), { recursive: true });
    for (let i = 0; i < 30; i++) {
      const data = Uint8Array.from({ length: 256 }, (_, k) => (k * (at + 1) * 7 + i * 13) & 255);
      writeFileSync(
        join(folder, "pictures", name, `${i}.png`),
        encodePng({ width: 16, height: 16, channels: 1, data }),
      );
    }
  }
  for (const place of ["path/to/mnist", "data/mnist"]) {
    mkdirSync(join(folder, place), { recursive: true });
    const write = (name: string, shape: number[], value: (i: number) => number) => {
      const size = shape.reduce((product, each) => product * each, 1);
      writeFileSync(
        join(folder, place, name),
        idxBytes(
          shape,
          Uint8Array.from({ length: size }, (_, i) => value(i)),
        ),
      );
    };
    for (const [part, count] of [
      ["train", 200],
      ["t10k", 100],
    ] as const) {
      write(`${part}-images-idx3-ubyte`, [count, 28, 28], (i) => (i * 31) & 255);
      write(`${part}-labels-idx1-ubyte`, [count], (i) => i % 10);
    }
  }
}

/** What of the words is not in a folder. */
function missing(folder: string, [name, ...words]: readonly string[]): readonly string[] {
  const command = commands.find((each) => each.name === name)!;
  const given = parseFlags(command, words);
  const operands = READS.includes(name) ? given.positionals : given.positionals.filter((each) => /\.\w+$/.test(each));
  const inputs = INPUTS.flatMap((flag) => (flag in command.flags ? given.all(flag) : []));
  const values = "set" in command.flags ? given.all("set").map((each) => each.slice(each.indexOf("=") + 1)) : [];
  const files = values.filter((value) => /^[A-Z]+$|\.(safetensors|pth?|npz|bin|json|txt)$/.test(value));
  return [...operands, ...inputs, ...files].filter((each) => each !== "mnist" && !existsSync(join(folder, each)));
}

/** How many steps and samples are enough, by command and flag. */
const FEW: Record<string, Record<string, number>> = {
  train: { steps: 2, "teacher-steps": 2 },
  sample: { n: 6 },
  evaluate: { n: 60 },
  pairs: { n: 20, steps: 3 },
  bench: { rounds: 1 },
};

/** Methods whose rounds need some steps each. */
const ROUNDS = /-(progressive|lightning|tract|tcm)$/;
/** Of one command, in ms, on a machine that does much else. */
const TIMEOUT = 600_000;

/** The same words with few steps and samples, on one thread. */
function small([name, ...words]: readonly string[]): string[] {
  const command = commands.find((each) => each.name === name)!;
  const given = parseFlags(command, words);
  // A page that nobody opens.
  const own = words.filter((word) => word !== "--ui");
  const put = (flag: string, value: string) => {
    const at = own.indexOf(`--${flag}`);
    if (at >= 0) own[at + 1] = value;
    else own.push(`--${flag}`, value);
  };
  const resumes = name === "train" && given.on("resume");
  for (const [flag, most] of Object.entries(FEW[name] ?? {})) {
    // A run that goes on has the steps that it began with, and one more.
    if (resumes && flag !== "steps") continue;
    const few = flag === "steps" && ROUNDS.test(given.positionals[0] ?? "") ? 8 : most;
    put(flag, String(Math.min(Number(given.text(flag) ?? few), few) + Number(resumes)));
  }
  if (name === "train" && !resumes) {
    own.push("--set", "train.evaluateCount=60");
    // Judged by nobody here, and drawn in few steps by the teacher.
    if (/^(mnist|pictures)/.test(given.positionals[0]))
      own.push("--set", "metrics.classifier-frechet=off", "--set", "sampler.steps=3");
  }
  if ("device" in command.flags) put("device", "wasm");
  if ("threads" in command.flags) put("threads", "1");
  return [name, ...own];
}

async function runCommand({ page, line, text }: PageCommand, words: readonly string[], folder: string): Promise<void> {
  const { code, stdout, stderr } = await (await start(small(words), {}, folder, TIMEOUT)).ended;
  assert.is(code, 0, `${page}, line ${line}: ${text}\nrun as ${small(words).join(" ")}\n${stdout}${stderr}`);
}

for (const page of pages) {
  const shown = commandsOf(page).filter(({ isWhole }) => isWhole);
  const ours = shown.flatMap((each) => {
    const words = wordsOfOnestep(each.words);
    return words && !ELSEWHERE.test(words.join(" ")) ? [{ each, words }] : [];
  });
  if (ours.length === 0) continue;
  test(page, async () => {
    const { path, remove } = scratch();
    try {
      furnish(path(""));
      let count = 0;
      for (const { each, words } of ours) {
        const absent = missing(path(""), words);
        if (absent.length === 0) {
          await runCommand(each, words, path(""));
          count++;
        } else if (COMPLETE.includes(page)) assert.unreachable(`${page}, line ${each.line}: ${absent} is not there`);
        else console.log(`guides: ${page}, line ${each.line}: not run, for want of ${absent.join(", ")}`);
      }
      console.log(`guides: ${page}: ${count} of ${ours.length} commands run`);
    } finally {
      remove();
    }
  });
}

test("pages are run where it is asked for", () => {
  assert.ok(COMPLETE.every((page) => allPages().includes(page)));
  assert.ok(wish === "" || pages.length > 0, `there is a page like ${wish}`);
});

test.run();
