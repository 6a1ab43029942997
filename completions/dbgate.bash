# bash completion for dbgate; made by `make completions`
_dbgate() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local path='' words='' value='-' i word
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      compopt -o default; COMPREPLY=(); return
    fi
    [[ $word == -* ]] && continue
    case "$path" in
    '') path=$word ;;
    'databases'|'requests'|'sessions'|'audit'|'policy') path="$path $word" ;;
    esac
  done
  case "$path $previous" in
    'login --as') value='' ;;
    'login --store') value='keyring memory file' ;;
    'login --broker') value='' ;;
    'login --ca-file') value=file ;;
    'connect --role') value='' ;;
    'connect --reason') value='' ;;
    'connect --for') value='' ;;
    'connect --hold') value='' ;;
    'connect --agent') value='' ;;
    'connect --port') value='' ;;
    'exec --role') value='' ;;
    'exec --reason') value='' ;;
    'exec --for') value='' ;;
    'exec --hold') value='' ;;
    'exec --agent') value='' ;;
    'query --file'|'query -f') value=file ;;
    'query --format') value='table json csv' ;;
    'query --role') value='' ;;
    'query --reason') value='' ;;
    'query --for') value='' ;;
    'query --hold') value='' ;;
    'query --agent') value='' ;;
    'request-approval --role') value='' ;;
    'request-approval --statement') value='' ;;
    'request-approval --statement-file') value=file ;;
    'request-approval --reason') value='' ;;
    'request-approval --for') value='' ;;
    'requests list --state') value='pending approved denied expired withdrawn' ;;
    'approve --comment') value='' ;;
    'deny --comment') value='' ;;
    'sessions kill --reason') value='' ;;
    'audit search --principal') value='' ;;
    'audit search --database') value='' ;;
    'audit search --table') value='' ;;
    'audit search --verdict') value='allow deny hold' ;;
    'audit search --text') value='' ;;
    'audit search --kind') value='' ;;
    'audit search --session') value='' ;;
    'audit search --exposed') value='' ;;
    'audit search --since') value='' ;;
    'audit search --until') value='' ;;
    'audit search --limit') value='' ;;
    'audit verify --log') value=file ;;
    'audit verify --key') value=file ;;
    'policy test --cases') value='' ;;
    'policy explain --database') value='' ;;
    'policy explain --as') value='' ;;
    'policy explain --role') value='' ;;
    'policy explain --group') value='' ;;
    'policy explain --environment') value='' ;;
    'policy explain --tables') value=file ;;
    'policy explain --cases') value=file ;;
    'policy explain --policy') value='' ;;
    'policy diff --replay') value='' ;;
    'policy diff --log') value=file ;;
    'policy diff --cases') value=file ;;
    'policy suggest --for') value='' ;;
    'policy suggest --used') value='' ;;
    'policy suggest --log') value=file ;;
    'serve --config') value=file ;;
    'serve --log-format') value='text json' ;;
    'dev --home') value=file ;;
    'dev --database') value='' ;;
    'dev --ready-file') value=file ;;
    'dev --port-base') value='' ;;
    'dev --policy') value='' ;;
  esac
  if [[ $value == file ]]; then
    compopt -o default; COMPREPLY=(); return
  elif [[ $value != - ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$value" -- "$current"); return
  fi
  case "$path" in
    '') words='login logout whoami databases connect exec query request-approval requests approve deny sessions audit policy serve dev doctor completion --debug --version --help' ;;
    'login') words='--device --as --store --broker --ca-file --json -h --help' ;;
    'logout') words='--json -h --help' ;;
    'whoami') words='--json -h --help' ;;
    'databases') words='classify --json -h --help' ;;
    'databases classify') words='--all --json -h --help' ;;
    'connect') words='--role --reason --wait --for --hold --show-masks --agent --no-client --port --json -h --help' ;;
    'exec') words='--role --reason --wait --for --hold --show-masks --agent -h --help' ;;
    'query') words='--file -f --format --role --reason --wait --for --hold --show-masks --agent --json -h --help' ;;
    'request-approval') words='--role --statement --statement-file --reason --for --wait --json -h --help' ;;
    'requests') words='list show withdraw -h --help' ;;
    'requests list') words='--state --json -h --help' ;;
    'requests show') words='--json -h --help' ;;
    'requests withdraw') words='--json -h --help' ;;
    'approve') words='--comment --yes -y --json -h --help' ;;
    'deny') words='--comment --yes -y --json -h --help' ;;
    'sessions') words='list show kill -h --help' ;;
    'sessions list') words='--all --json -h --help' ;;
    'sessions show') words='--json -h --help' ;;
    'sessions kill') words='--reason --json -h --help' ;;
    'audit') words='search show verify key -h --help' ;;
    'audit search') words='--principal --database --table --verdict --text --kind --session --exposed --since --until --limit --json -h --help' ;;
    'audit show') words='--json -h --help' ;;
    'audit verify') words='--log --key --json -h --help' ;;
    'audit key') words='--json -h --help' ;;
    'policy') words='validate test explain diff suggest -h --help' ;;
    'policy validate') words='--json -h --help' ;;
    'policy test') words='--cases --json -h --help' ;;
    'policy explain') words='--database --as --broker --role --group --environment --tables --cases --policy --json -h --help' ;;
    'policy diff') words='--replay --log --cases --json -h --help' ;;
    'policy suggest') words='--for --used --log --json -h --help' ;;
    'serve') words='--config --check --test-notifications --log-format -h --help' ;;
    'dev') words='--home --database --ready-file --port-base --policy -h --help' ;;
    'doctor') words='--json -h --help' ;;
    'completion') words='bash zsh fish -h --help' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _dbgate dbgate
