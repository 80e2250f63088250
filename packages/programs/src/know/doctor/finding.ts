import type { Text } from './evidence.ts';

/** One thing that decides what BPF can do here. */
export interface Finding {
  readonly name: string;
  /** 'warning': some of it cannot be done, or it could not be told; 'problem': nothing can, or nearly nothing. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly found: string;
  /** What to do, when there is something to be done. */
  readonly advice?: string;
}

export function ok(name: string, found: string): Finding {
  return { name, status: 'ok', found };
}

export function warning(name: string, found: string, advice: string): Finding {
  return { name, status: 'warning', found, advice };
}

export function problem(name: string, found: string, advice: string): Finding {
  return { name, status: 'problem', found, advice };
}

/** Of a file that is there and may not be read. */
export function unread(name: string, path: string, file: Text): Finding {
  const why = file.text === undefined ? file.why : 'an unexpected text';
  return warning(name, `${path} could not be read (${why})`, 'look again as root, or outside the container');
}
