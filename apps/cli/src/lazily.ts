/** An action whose code is loaded when it runs: most of the time that a start takes is for code. */
export const lazily =
  <Args extends readonly unknown[]>(load: () => Promise<(...args: Args) => unknown>) =>
  async (...args: Args): Promise<void> => {
    await (await load())(...args);
  };
