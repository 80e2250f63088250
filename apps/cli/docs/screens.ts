import { spawnSync } from 'node:child_process';

/**
 * Writes what commands print into a page: under each `$ ` line of a block that is marked as a screen, the output of that line.
 *
 * - `<!-- screen -->`: the same on every machine
 * - `<!-- screen of Linux -->`: of a kernel, for root; left as it is unless `all`
 *
 * @param folder holds the `bpf` to run
 */
export function withScreens(page: string, folder: string, all: boolean): string {
  return page.replace(
    /^(<!-- screen( of Linux)? -->\n+```console\n)(.*?)^```$/gms,
    (block, head: string, ofLinux: string | undefined, body: string) => {
      if (ofLinux && !all) return block;
      const lines = body.split('\n').filter((line) => line.startsWith('$ '));
      return `${head}${lines.map((line) => `${line}\n${printed(line.slice(2), folder)}`).join('')}\`\`\``;
    },
  );
}

/** Both outputs, as a terminal shows them, but without colour. */
function printed(line: string, folder: string): string {
  const script = `exec 2>&1\n${line.replace(/^sudo /, '')}`;
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const { stdout, error } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env });
  if (error) throw error;
  return stdout;
}
