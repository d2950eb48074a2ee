/** Tokens of a prompt, start and end included. */
export const CLIP_CONTEXT = 77;
