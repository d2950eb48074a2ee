export const mean = (values: readonly number[]): number =>
  values.reduce((total, each) => total + each, 0) / values.length;

/** Standard deviation of a sample; 0 of one value. */
export const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  const squares = values.map((each) => (each - middle) ** 2);
  return values.length > 1 ? Math.sqrt((mean(squares) * values.length) / (values.length - 1)) : 0;
};
