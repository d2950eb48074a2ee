import type { Resolver } from "../../di/resolver.ts";
import { failure, suggestion } from "../../errors.ts";
import { AVERAGES } from "../../interfaces/average.ts";
import { LOSSES, type Loss } from "../../interfaces/loss.ts";
import type { Method, Stage, Turn } from "../../interfaces/method.ts";
import { OPTIMIZERS } from "../../interfaces/optimizer.ts";
import { isRecord } from "../../plugin/spec.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { RunSettings } from "../config/trainOptions.ts";
import { inheritedBy } from "../update/player.ts";
import { learnersOf, numbersOf, rolesOf } from "../update/roles.ts";
import type { Trainer } from "../update/trainer.ts";

/**
 * Holds a method to the roles, losses and averages of its run, so that hours of training do not end in a name.
 * @throws E_CONFIG that names the method, the stage and what would be right
 */
export function checkMethod(container: Resolver, trainer: Trainer, settings: RunSettings): void {
  const { name: method, roles, stages, maker, samplers } = trainer.method;
  const known = Object.keys(roles);
  const refuse = (why: string, fix?: string) =>
    failure("E_CONFIG", `Cannot run the method ${method}: ${why}`, fix ? { fix } : undefined);
  const checkRole = (role: string, where: string) => {
    if (!known.includes(role))
      throw refuse(
        `${where} names the role "${role}", which the method does not have; it should be one of ${known.join(", ")}${suggestion(role, known)}`,
      );
  };
  if (maker !== undefined) checkRole(maker, "maker");
  for (const role of Object.keys(samplers)) checkRole(role, "samplers");
  if (stages.length === 0) throw refuse("it has no stages, should have one or more");
  const names = stages.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(`two stages are called "${twice}", each needs its own name`);
  for (const stage of stages) {
    const at = `stage "${stage.name}"`;
    for (const role of [...(stage.roles ?? []), ...Object.entries(stage.begins ?? {}).flat()]) checkRole(role, at);
    for (const { role } of stage.cycle.flat()) checkRole(role, at);
    const { batch } = stage;
    if (stage.steps > 0 && batch % settings.accumulate !== 0)
      throw failure(
        "E_OPTION",
        `Cannot configure train: accumulate is ${settings.accumulate}, should divide the batch of ${at}, which is ${batch}`,
      );
    checkCycle(stage, trainer, (why) => refuse(`${at} ${why}`));
    checkBegins(stage, trainer, (why) => refuse(`${at} ${why}`));
  }
  const learners = new Set(stages.flatMap((stage) => [...learnersOf(stage)]));
  const learns = `learners are ${[...learners].join(", ")}`;
  for (const loss of container.all(LOSSES)) {
    const { name, role, weight } = loss;
    if (weight === 0) continue;
    if (learners.has(role)) continue;
    // A slip of the pen, where the name is near one that learns; else a loss of another method.
    const near = known.includes(role) ? "" : suggestion(role, learners);
    if (near)
      throw failure("E_OPTION", `Cannot use loss ${name}: its role is "${role}", ${learns}${near}`, {
        fix: `correct the role of the loss, or leave it out with --set losses.${name}=off`,
      });
    throw refuse(
      `the loss ${name} is for the ${role}, which never learns; ${learns}`,
      `leave the loss out with --set losses.${name}=off, or give the ${role} turns`,
    );
  }
  const active = container.all(LOSSES).filter(({ weight }) => weight !== 0);
  for (const { name, game } of active) {
    const judged = active.some(({ game: other }) => other?.name === game?.name && other?.side === "judges");
    if (game?.side === "fools" && !judged)
      throw refuse(
        `the loss ${name} fools a judge who learns by no loss, there should be one that teaches it: ${game.name}`,
        `set ${game.name}, or leave out what fools it`,
      );
  }
  for (const role of learners) {
    const own = active.filter((loss) => loss.role === role);
    checkDrawn(role, numbersOf(roles[role]), own);
  }
  for (const { role } of container.all(OPTIMIZERS)) checkRole(role, "optimizers");
  for (const { role } of container.all(AVERAGES)) checkRole(role, "averages");
}

/** A role that learns to be told numbers needs a loss that teaches it what they mean, and none beside which they mean nothing. */
function checkDrawn(role: string, numbers: ReturnType<typeof numbersOf> = {}, losses: readonly Loss[]): void {
  for (const [entry, { least, most }] of Object.entries(numbers)) {
    const learns = `the ${role} learns ${entry} from ${least} to ${most}`;
    const refuse = (whose: string, why: string, or: string) =>
      failure("E_CONFIG", `Cannot use ${whose}: ${learns}, ${why}`, {
        fix: `leave the ${role}'s ${entry} as it is by default, or ${or}`,
      });
    const strange = losses.find(({ heeds = [], bears = [] }) => ![...heeds, ...bears].includes(entry));
    if (strange)
      throw refuse(
        `loss ${strange.name}`,
        "of which this loss makes nothing",
        `the loss out with --set losses.${strange.name}=off`,
      );
    if (!losses.some(({ heeds = [] }) => heeds.includes(entry)))
      throw refuse(
        `the losses ${losses.map(({ name }) => name).join(", ")}`,
        "and none of them teaches what it means",
        "add a loss that does, such as distribution-matching",
      );
  }
}

/**
 * A stage's numbers are for its losses: where none reads any, the losses are those of another method, which would train something else.
 * The programs of the stage have been traced.
 * @throws E_CONFIG
 */
export function checkNumbers(trainer: Trainer, stage: Stage): void {
  const names = Object.keys(stage.numbers ?? {});
  if (names.length === 0 || stage.cycle.flat().some((turn) => trainer.traced(stage, turn).asked.size > 0)) return;
  const { name } = trainer.method;
  throw failure(
    "E_CONFIG",
    `Cannot run the method ${name}: its stage "${stage.name}" has the numbers ${names.join(", ")} for a loss, and no loss reads any of them`,
    { fix: `use the losses that go with ${name}, as its recipe has them, or the method that goes with the losses` },
  );
}

/** Holds what a method gives to the shape that its type promises: it may come from a plugin that no compiler has checked. */
export function checkParts({ name: method, roles, stages, samplers }: Method): void {
  const refuse = (why: string) => failure("E_CONFIG", `Cannot run the method ${method}: ${why}`);
  for (const [role, value] of Object.entries(roles ?? {}))
    if (typeof value?.bind !== "function" || typeof value.declare !== "function")
      throw refuse(
        `its role "${role}" is no network, should be what a plugin provides for TEACHER, GENERATOR or CRITIC`,
      );
  if (!isRecord(samplers)) throw refuse("it has no samplers, should have a record of them by role, which may be empty");
  for (const { name, steps, batch, cycle } of stages ?? []) {
    const whole = (what: string, value: number, min: number) => {
      if (!Number.isInteger(value) || value < min)
        throw refuse(`${what} of stage "${name}" is ${value}, should be a whole number from ${min}`);
    };
    if (typeof name !== "string" || name.trim() === "") throw refuse("a stage has no name, each needs its own");
    whole("steps", steps, 0);
    whole("batch", batch, 1);
    if (!Array.isArray(cycle))
      throw refuse(`stage "${name}" has no cycle, should have a list of steps with their turns`);
  }
}

type Refuse = (why: string) => Error;

/** Every step has turns, of roles that take part, each once; kept images were kept before. */
function checkCycle(stage: Stage, trainer: Trainer, refuse: Refuse): void {
  const taking = rolesOf(trainer.method, stage);
  const { maker } = trainer.method;
  if (stage.cycle.length === 0) throw refuse("has a cycle without turns, should have one or more");
  for (const [i, turns] of stage.cycle.entries()) {
    if (turns.length === 0) throw refuse(`has no turn in step ${i} of its cycle, should have one or more`);
    let kept = false;
    for (const [place, { role, images = "made", keeps, waits }] of turns.entries()) {
      if (waits && keeps)
        throw refuse(`has a turn of the ${role} that waits and keeps images, which others might miss`);
      if (waits && !stage.cycle.flat().some((turn) => turn.role === waits.role && !turn.waits))
        throw refuse(`has a turn of the ${role} that waits for the ${waits.role}, who has no turn`);
      if (!taking.includes(role))
        throw refuse(`has a turn of the ${role}, which does not take part; roles are ${taking.join(", ")}`);
      const isSame = (turn: Turn) => turn.role === role && (turn.images ?? "made") === images;
      if (turns.findIndex(isSame) !== place)
        throw refuse(`has the same turn of the ${role} twice in one step, should have it in steps of its own`);
      if ((keeps || images === "kept") && maker === undefined)
        throw refuse(`keeps images, and the method has no maker; it should name the role that makes them`);
      if (images === "kept" && !kept)
        throw refuse(`gives the ${role} kept images, and no turn before it in the step keeps any`);
      kept ||= keeps ?? false;
    }
  }
}

/** A role can take weights from another that has parameters of the same names and shapes. */
function checkBegins(stage: Stage, { players }: Trainer, refuse: Refuse): void {
  for (const [name, source] of Object.entries(stage.begins ?? {})) {
    const taken = new Map(players[source].layout.entries.map((each) => [each.name, each.shape]));
    const { role, layout, base } = players[name];
    const own = layout.entries.flatMap(({ name: parameter, shape }) => {
      const from = taken.get(inheritedBy(role, parameter) ?? "");
      return from ? [sameShape(from, shape)] : [];
    });
    const shared = [...(base?.parameters.values() ?? [])].map((each) => {
      const from = taken.get(each.name);
      return from !== undefined && sameShape(from, each.shape);
    });
    const inherited = [...own, ...shared];
    if (inherited.length === 0 || !inherited.every(Boolean))
      throw refuse(
        `begins the ${name} from the ${source}, which has no weights of that layout; both should be over the same network`,
      );
  }
}
