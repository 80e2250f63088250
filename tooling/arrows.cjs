// Which room of the house may import which (docs/ARCHITECTURE.md), as rules for dependency-cruiser.

/** What the sources of each package may import, besides themselves. `type:` allows `import type` only. */
const rooms = {
  insn: [],
  btf: [],
  dsl: ['insn', 'type:btf'],
  'dsl-maps': ['insn', 'dsl'],
  'dsl-iter': ['insn', 'dsl', 'type:btf'],
  'dsl-fentry': ['insn', 'dsl', 'type:btf'],
  sys: ['koffi'],
  maps: ['sys', 'btf'],
  programs: ['insn', 'btf', 'sys'],
};

/** Packages that run in a browser: nothing from Node, no dependency. */
const pure = ['insn', 'btf', 'dsl', 'dsl-maps', 'dsl-iter', 'dsl-fentry'];

const arrows = Object.entries(rooms).flatMap(([room, allowed]) => {
  const from = { path: `^packages/${room}/src/` };
  const values = allowed.filter((name) => !name.startsWith('type:') && name in rooms);
  const types = allowed.filter((name) => name.startsWith('type:')).map((name) => name.slice(5));
  const others = (names) => `^packages/(?!(${[room, ...names].join('|')})/)|^apps/|^tooling/`;
  return [
    { name: `${room}-imports`, severity: 'error', from, to: { path: others([...values, ...types]) } },
    ...types.map((type) => ({
      name: `${room}-imports-types-only`,
      severity: 'error',
      from,
      to: { path: `^packages/${type}/`, dependencyTypesNot: ['type-only'] },
    })),
    {
      name: `${room}-dependencies`,
      severity: 'error',
      from,
      to: { path: 'node_modules/', pathNot: allowed.includes('koffi') ? ['node_modules/koffi/'] : [] },
    },
  ];
});

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'pure-packages-import-nothing-from-node',
      severity: 'error',
      from: { path: `^packages/(${pure.join('|')})/src/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'packages-are-entered-through-their-index',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/src/' },
      to: {
        path: '^packages/[^/]+/src/',
        pathNot: ['^packages/[^/]+/src/index[.]ts$', '^packages/[^/]+/src/[^/]+/index[.]ts$', '^$1/$2/'],
      },
    },
    { name: 'sources-do-not-import-tests', severity: 'error', from: { path: '/src/' }, to: { path: '/test/' } },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps)/[^/]+/(dist/|[^/]+[.]config[.]ts$)' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@bpf/source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
