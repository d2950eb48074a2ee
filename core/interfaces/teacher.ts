import { type Token, token } from "../di/token.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Role } from "./role.ts";

/** The model to distil: D_real, frozen while the generator learns. Without parameters when it has a closed form. */
export interface Teacher extends Role<Denoiser> {
  /** Whether it starts untrained and `teacher` steps make sense. */
  readonly trainable: boolean;
  /** The scale of guidance that it brings along; none where absent or 1. */
  readonly guidanceScale?: number;
}

/** The teacher of the run. */
export const TEACHER: Token<Teacher> = token<Teacher>("teacher");
