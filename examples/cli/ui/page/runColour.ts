/** Colours that runs take in turn; the style has each for light and dark. */
const COLOURS = 6;

/** The colour of a run, as CSS has it. */
export const colourOf = (id: number): string => `var(--run-${id % COLOURS})`;
