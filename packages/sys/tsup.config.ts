import { library } from '../../tooling/tsup.ts';

export default library(['src/index.ts', 'src/netlink/index.ts']);
