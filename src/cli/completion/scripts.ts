/**
 * The scripts that shells run when a user presses Tab. Each script runs `feedkey completion words` and shows the result. The
 * first line of the result is `files` if the names of files and folders can also complete the line, else `words`; each other
 * line is a word, a tab and a description.
 */

/**
 * bash splits words at `=` and `:`, so the script joins the parts of a word before it asks feedkey, and removes the typed parts
 * from the answer.
 */
const bash = `# bash completion for feedkey: eval "$(feedkey completion bash)"
_feedkey() {
  local word joined=() i kind line cut
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((\${#joined[@]} > 0)) && [[ $word == [=:]* || \${joined[-1]} == *[=:] ]]; then joined[-1]+=$word; else joined+=("$word"); fi
  done
  COMPREPLY=()
  cut=\${joined[-1]}
  cut=\${cut%"\${COMP_WORDS[COMP_CWORD]}"}
  [[ \${COMP_WORDS[COMP_CWORD]} == [=:]* ]] && cut=\${joined[-1]}
  {
    IFS= read -r kind
    while IFS= read -r line; do
      line=\${line%%$'\\t'*}
      line=\${line#"$cut"}
      COMPREPLY+=("$(printf '%q' "$line")")
    done
  } < <(feedkey completion words -- "\${joined[@]}" 2>/dev/null)
  if [[ $kind == files ]]; then
    compopt -o filenames
    word=\${joined[-1]#"$cut"}
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word")
  elif [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace
  fi
}
complete -F _feedkey feedkey
`;

const zsh = `#compdef feedkey
# zsh completion for feedkey: a file _feedkey in a folder of $fpath, or eval "$(feedkey completion zsh)"
_feedkey() {
  local kind line
  local -a lines shown
  lines=("\${(@f)$(feedkey completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  kind=\${lines[1]}
  for line in "\${(@)lines[2,-1]}"; do
    shown+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#shown} )) && _describe feedkey shown
  [[ $kind == files ]] && { [[ $PREFIX == --*=* ]] && compset -P '*='; _files }
}
if [[ $funcstack[1] == _feedkey ]]; then _feedkey "$@"; else compdef _feedkey feedkey; fi
`;

const fish = `# fish completion for feedkey: feedkey completion fish > ~/.config/fish/completions/feedkey.fish
function __feedkey_words
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (feedkey completion words -- $words[2..-1] 2>/dev/null)
  test (count $lines) -gt 1; and printf '%s\\n' $lines[2..-1]
  test "$lines[1]" = files; and __fish_complete_path (commandline -ct)
end
complete -c feedkey -f -a '(__feedkey_words)'
`;

export const completionScripts = { bash, zsh, fish } as const;
