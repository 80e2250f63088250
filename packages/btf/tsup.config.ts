import { library } from '../../tooling/tsup.ts';

export default library(['src/index.ts', 'src/format/index.ts', 'src/build/index.ts', 'src/data/index.ts']);
