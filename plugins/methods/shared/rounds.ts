/** Rounds in which the generator of one is the teacher of the next, with fewer steps each. */
import { placeholders } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { DataShape, Denoiser, Generator, Role, Sampler, Teacher } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { eulerTo } from "../../samplers/shared/rules.ts";

/**
 * @param says which setting says how many steps the generator takes
 * @throws E_CONFIG in the name of `owner` unless the generator begins at one level and can become the teacher of the next round
 */
export function checkSuccession(
  owner: string,
  { teacher, generator }: { readonly teacher: Teacher; readonly generator: Generator },
  rounds: number,
  says: string,
  shape: DataShape,
): void {
  checkOneLevel(owner, generator, says, shape);
  if (rounds === 1) return;
  const refuse = (why: string, fix: string) => failure("E_CONFIG", `Cannot configure ${owner}: ${why}`, { fix });
  if (!teacher.trainable)
    throw refuse(
      "the generator of a round teaches the next, and this teacher is not a plain network",
      "use the teacher `edm`, with --teacher FILE for weights that are there already",
    );
  const known = parametersOf(teacher);
  const foreign = parametersOf(generator).find((name) => !known.includes(name));
  const plain = "use the generator `few-step`, without adapters and without guidanceScale";
  if (foreign !== undefined)
    throw refuse(`the generator of a round teaches the next, and the teacher has no parameter ${foreign}`, plain);
  const [first, later] = [teacher, generator].map((role) => computationOf(role, shape));
  if (first !== later)
    throw refuse(
      "the generator of a round teaches the next, and the teacher would not say the same with its weights",
      plain,
    );
}

/** What a role computes as a denoiser, in a text that is the same for two that compute the same. */
function computationOf(role: Role<Denoiser>, shape: DataShape): string {
  const { x, sigma, condition } = placeholders(shape);
  let said = "";
  layoutOf((scope) => {
    const order = ancestry(role.bind(scope).denoise(x, sigma, condition));
    const places = new Map(order.map((node, i) => [node, i]));
    // The mark of a block computes nothing, and counts all nodes that were ever made.
    const told = ({ op, attrs }: Tensor) => (op.name === "block" ? undefined : attrs);
    said = JSON.stringify(
      order.map((node) => [node.op.name, node.inputs.map((each) => places.get(each)), told(node), node.shape]),
    );
  });
  return said;
}

/** A tensor and all that it follows from, in an order that is the same for equal computations. */
function ancestry(root: Tensor): readonly Tensor[] {
  const found = new Set([root]);
  // What is added is visited too.
  for (const node of found) for (const input of node.inputs) found.add(input);
  return [...found];
}

/** As `checkSuccession`, of the one level alone, and that the generator can be called at all those below it. */
export function checkOneLevel(owner: string, generator: Generator, says: string, shape: DataShape): void {
  const { sigmas } = generator;
  if (sigmas.length !== 1)
    throw failure(
      "E_CONFIG",
      `Cannot configure ${owner}: the generator has ${sigmas.length} noise levels, should have one, at which samples begin`,
      { fix: `set generator.sigmas to that level; ${says} how many steps it takes from there` },
    );
  const { x, sigma, condition } = placeholders(shape);
  let heeds = false;
  layoutOf((scope) => {
    heeds = ancestry(generator.bind(scope).denoise(x, sigma, condition)).includes(sigma);
  });
  if (!heeds)
    throw failure(
      "E_CONFIG",
      `Cannot configure ${owner}: the generator answers at its first noise level alone, should do so at all below it`,
      { fix: "use the generator `few-step`" },
    );
}

/** Names of the parameters that a role has. */
export const parametersOf = (role: Role): readonly string[] =>
  layoutOf((scope) => role.declare(scope)).entries.map(({ name }) => name);

/** Euler's steps down falling levels, the last of which is where they end; 0 is the clean sample. */
export function eulerOn(sigmas: readonly number[], startScale?: number): Sampler {
  return {
    sigmaMax: sigmas[0],
    startScale,
    steps: sigmas.slice(0, -1).map((sigma, i) => eulerTo(sigma, sigmas[i + 1])),
  };
}
