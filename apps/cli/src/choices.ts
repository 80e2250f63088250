// What options may be, apart from the code that acts on them: that is loaded later, and this for every command.
import type { BtfKind } from '@bpf/btf';

export const btfDumpFormats = ['c', 'raw', 'json'] as const;
export type BtfDumpFormat = (typeof btfDumpFormats)[number];

/** The kinds whose types have names. */
export const listKinds: readonly BtfKind[] = [
  'int',
  'float',
  'struct',
  'union',
  'enum',
  'enum64',
  'fwd',
  'typedef',
  'func',
  'var',
  'datasec',
  'decl_tag',
  'type_tag',
];

export const progDumpFormats = ['xlated', 'opcodes', 'jited'] as const;
export type ProgDumpFormat = (typeof progDumpFormats)[number];

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Functions that are traced at once: each has a program of its own, and attaching one stops all CPUs for a moment. */
export const MAX_FUNCTIONS = 100;
