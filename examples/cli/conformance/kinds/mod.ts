import type { Kind } from "../kind.ts";
import { emaKind } from "./ema.ts";
import { opsKind } from "./ops.ts";
import { optimizersKind } from "./optimizers.ts";

/** Every kind of case that can be run; the first that matches is taken. */
export const kinds: readonly Kind[] = [opsKind, optimizersKind, emaKind];
