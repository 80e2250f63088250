export { formatC } from './c.ts';
export { formatJson } from './json.ts';
export { formatRaw } from './raw.ts';
export { formatDeclaration, formatPrototype, formatType } from './type.ts';
