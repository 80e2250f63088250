// Numbers in a module without imports are put where they are used by bundlers.

export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const ONE = 0x31;
export const SEMICOLON = 0x3b;
export const LESS = 0x3c;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const LOWER_R = 0x72;
export const LOWER_S = 0x73;
export const LOWER_W = 0x77;

/** What a character can be part of, by its code. */
export const DIGIT = 1;
/** Letters, digits, `_`, `.` and `$`. */
export const WORD = 2;
export const SIGN = 4;
/** A sign that `=` may follow. */
export const OPERATOR = 8;

/** What of a line an error shows around its place, so that it stays readable whatever the text. */
export const SHOWN = 100;
