import { files } from "../../../backends/host/files.ts";
import { onInterrupt } from "../../../backends/host/interrupt.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import { commandName } from "../asStarted.ts";
import type { Given } from "../command.ts";
import { INTERRUPTED } from "../exitStatus.ts";
import { loadRegistry } from "../registry.ts";
import { ablation, type Contest } from "./contest.ts";
import { type Expansion, expand, needsPairs, rowOf, type Shared, teacherOf } from "./expand.ts";
import { textOf } from "./page.ts";
import { pairsAt, partAt, Stopped, steps } from "./parts.ts";
import { type Planned, planOf, writePlan } from "./plan.ts";
import { writeTable } from "./write.ts";

/** Runs the rows of a table of a paper, and writes the table. */
export const run = (given: Given): Promise<number> => runTable(given, ablation);

/** Runs the rows of a table, and writes it. What is done already is left as it is. */
export async function runTable(given: Given, contest: Contest): Promise<number> {
  const planned = await planOf(given, contest);
  const { plan, out } = planned;
  const registry = await loadRegistry(given.all("plugin"));
  const expansion = await expand(plan, registry);
  await writePlan(planned);
  const say = (text: string) => void (given.on("quiet") || process.stderr.write(`${text}\n`));
  say(
    `table   ${plan.table} on ${plan.dataset}, budget ${plan.budget}; seeds: ${plan.seeds}, ${contest.flag}: ${plan.rows.join(", ")}`,
  );
  say(`folder  ${out}`);
  try {
    await runParts(planned, expansion, registry, given, say);
  } catch (error) {
    await writeTable(planned);
    if (!(error instanceof Stopped)) throw error;
    say(`stopped; the table goes on with: ${commandName()} ${contest.command} --resume --out ${out}`);
    return INTERRUPTED;
  }
  process.stdout.write(`${textOf(await writeTable(planned))}\n`);
  say(`done; the table is ${files.join(out, plan.table)}.html, .md, .json and .svg`);
  return 0;
}

/**
 * One part after the other: with each seed the teacher, its pairs where a row needs them, then the rows that start from it. The
 * table is written anew after every part.
 * @throws Stopped after Ctrl-C
 */
async function runParts(
  planned: Planned,
  expansion: Expansion,
  registry: Registry,
  given: Given,
  say: (text: string) => void,
) {
  const { plan, out } = planned;
  const { train, trainRow, pairs, describe, judge, state } = steps(given, plan);
  let stopping = false;
  const watch = onInterrupt(() => {
    stopping = true;
    if (!state.training) process.stderr.write("\nstopping after this step; press Ctrl-C again to give up at once\n");
  });
  const total = plan.seeds * (plan.rows.length + 1);
  let place = 0;
  /** Steps in turn, unless it is to stop. */
  const inTurn = async (seed: number, name: string, ...todo: readonly (() => Promise<void>)[]) => {
    say(`\n[${++place} of ${total}] seed ${seed}: ${name}`);
    for (const step of todo) {
      if (stopping) throw new Stopped();
      await step();
    }
    await writeTable(planned);
  };
  try {
    for (let seed = 0; seed < plan.seeds; seed++) {
      const teacher = partAt(out, seed, "teacher");
      const shared: Shared = { seed, teacher: teacher.folder.weights("teacher"), pairs: pairsAt(out, seed) };
      const drawn = Object.values(expansion.rows).some(needsPairs) ? [() => pairs(teacher, shared)] : [];
      await inTurn(
        seed,
        "the teacher",
        () => train(teacher, teacherOf(expansion, shared)),
        () => describe(teacher, "teacher", registry),
        () => judge(teacher, "teacher"),
        ...drawn,
      );
      for (const name of plan.rows) {
        const row = partAt(out, seed, name);
        await inTurn(
          seed,
          name,
          () => trainRow(row, rowOf(expansion, expansion.rows[name], shared)),
          () => describe(row, "generator", registry),
          () => judge(row, "generator"),
        );
      }
    }
  } finally {
    watch();
  }
}
