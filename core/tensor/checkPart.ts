import { failure } from "../errors.ts";

/**
 * Checks what is to be written to a state, all of it, or a part that begins at element `first`.
 * @throws E_SHAPE
 */
export function checkPart(name: string, elements: number, given: number, first?: number): void {
  if (first === undefined && given !== elements)
    throw failure("E_SHAPE", `Cannot write state "${name}": ${given} elements, expected ${elements}`);
  if (first !== undefined && !(Number.isSafeInteger(first) && first >= 0 && first + given <= elements))
    throw failure(
      "E_SHAPE",
      `Cannot write state "${name}": ${given} elements from ${first} on do not fit, it has ${elements}`,
    );
}
