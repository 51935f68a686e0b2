/**
 * The shells' halves of completion. They hand the words over and show what comes back: a candidate and its description a line, with a tab between, or
 * one word with a colon before it for what the shell completes better itself: `:files`, `:commands`.
 */
const BASH = `_warren() {
  local word rest cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r word rest; do
    case $word in
      :files) compopt -o default 2>/dev/null; return ;;
      :commands) COMPREPLY=($(compgen -c -- "$cur")); return ;;
      *) COMPREPLY+=("$word") ;;
    esac
  done < <(command "\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _warren warren
`;

const ZSH = `#compdef warren
_warren() {
  local line
  local -a candidates
  for line in "\${(@f)$(command "\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files) _files; return ;;
      :commands) _command_names -e; return ;;
      ?*) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#candidates )) && _describe -V warren candidates
}
compdef _warren warren
`;

const FISH = `function __warren_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (command $words[1] __complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path (commandline -ct)
      case ':commands'
        __fish_complete_command
      case '*'
        echo $line
    end
  end
end
complete -c warren -f -a '(__warren_complete)'
`;

export const COMPLETION_SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };
