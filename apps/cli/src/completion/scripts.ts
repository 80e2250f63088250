// What a shell runs when Tab is pressed: it asks the command itself, so that the script is good for later versions. A line of
// the answer is a value, a tab, and what it is; where there is none, the shell offers files. Values go nowhere that a shell
// expands what is in them: names come from others.

const bash = `# bash completion for bpf: source it, or put it into /etc/bash_completion.d
_bpf() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$(printf %q "\${line%%$'\\t'*}")")
  done < <(bpf complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _bpf bpf
`;

const zsh = `#compdef bpf
# zsh completion for bpf: source it after compinit, or put it into a folder of fpath as _bpf
_bpf() {
  local line
  local -a found
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(bpf complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then
    _describe -V bpf found
  else
    _files
  fi
}
if [ "$funcstack[1]" = _bpf ]; then
  _bpf "$@"
else
  compdef _bpf bpf
fi
`;

const fish = `# fish completion for bpf: source it, or put it into ~/.config/fish/completions as bpf.fish
function __bpf_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (bpf complete -- $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c bpf -f -a '(__bpf_complete)'
`;

export const scripts = { bash, zsh, fish } as const;
