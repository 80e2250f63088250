// Numbers in a module without imports: bundlers put them where they are used.

/** The size of a function's stack. */
export const STACK_BYTES = 512;
export const R10 = 10;
/** Registers as bits. */
export const ALL_REGISTERS = 0x7ff;
export const ARGUMENTS = 0b111110;
/** A helper whose result is known to be 0 when there is but one processor. */
export const GET_SMP_PROCESSOR_ID = 8;
/** The helpers' numbers are settled: what the kernel adds now are kernel functions. */
export const LAST_HELPER = 211;
