# Completion of all of Stagedoor's programs, for bash. The program that is being called says itself
# what it takes (--help=words), so this knows nothing that could grow old.

_stagedoor() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local asked=("${COMP_WORDS[0]}") word argument help words=()
    if [[ ${asked[0]##*/} == stagedoor && $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} != help ]]; then
        asked+=("${COMP_WORDS[1]}")
    fi
    while IFS=$'\t' read -r word argument help; do
        if [[ $word == "$before" && $argument != - ]]; then
            _stagedoor_value "$argument"
            return
        fi
        [[ $current == -* || $word != -* ]] && words+=("$word")
    done < <("${asked[@]}" --help=words 2>/dev/null)
    mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$current")
}

# The value of an option: a folder, a file, one of a few words, or what only people know.
_stagedoor_value() {
    case $1 in
    *DIR*) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    *FILE*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    *'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$current") ;;
    *) COMPREPLY=() ;;
    esac
}

complete -F _stagedoor stagedoor stagedoor-shows stagedoor-reservations stagedoor-checkout \
    stagedoor-edge stagedoor-paydesk
