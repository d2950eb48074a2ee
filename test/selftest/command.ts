import { failure } from "../../core/errors.ts";
import type { Given } from "../../examples/cli/command.ts";
import { describeBackend, openBackend, tuning } from "../../examples/cli/device.ts";
import { opsNamed, testOp } from "./selfTest.ts";

/** Seconds after which the operations that are left are not run any more. */
const SECONDS = 300;

/** Holds a device to the oracle, operation by operation. */
export async function run(given: Given): Promise<number> {
  const names = opsNamed(pattern(given.text("only") ?? ""));
  if (names.length === 0) throw failure("E_USAGE", `Cannot run selftest: no operation matches ${given.text("only")}`);
  const seconds = Number(given.text("seconds") ?? SECONDS);
  if (!(seconds > 0))
    throw failure("E_USAGE", `Cannot run selftest: --seconds is ${given.text("seconds")}, expected a number above 0`);
  const backend = await openBackend(given.text("device"), tuning(given));
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  print(`device  ${describeBackend(backend)}`);
  print(`${"".padEnd(WIDTH)}  forward  backward  (largest error in units of what is allowed)`);
  const end = performance.now() + 1000 * seconds;
  let [done, failed] = [0, 0];
  try {
    for (const name of names) {
      if (performance.now() > end) break;
      const { op, forward, backward, fault } = await testOp(name, backend);
      done++;
      if (fault !== undefined) failed++;
      const row = `${op.padEnd(WIDTH)}  ${shown(forward).padStart(7)}  ${shown(backward).padStart(8)}`;
      print(fault === undefined ? row : `${row}  FAIL ${fault.replace(/\s+/g, " ")}`);
    }
  } finally {
    await backend.close();
  }
  const left = names.length - done;
  const late = left > 0 ? `, ${left} not run within ${seconds} s` : "";
  print(`${done - failed} of ${names.length} operations agree with the oracle, ${failed} do not${late}`);
  if (failed > 0) process.stderr.write(REPORT);
  return failed > 0 || left > 0 ? 1 : 0;
}

const WIDTH = 20;
const shown = (excess: number | undefined): string =>
  excess === undefined ? "-" : Number(excess.toPrecision(2)).toString();
const REPORT =
  "fix: use another --device, and report this: the lines above, and a file written by onestep doctor --report FILE\n";

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw failure("E_USAGE", `Cannot run selftest: --only ${text}: ${(error as Error).message}`);
  }
}
