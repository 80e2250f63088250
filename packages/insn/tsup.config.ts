import { library } from '../../tooling/tsup.ts';

export default library(['src/index.ts', 'src/text/index.ts', 'src/check/index.ts', 'src/helpers/index.ts']);
