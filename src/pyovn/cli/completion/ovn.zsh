#compdef ovn-nbctl ovn-sbctl ovs-vsctl
# zsh completion for ovn-nbctl, ovn-sbctl and ovs-vsctl; see `pyovn completion`
_pyovn_complete() {
    local -a whole texts open
    local line word
    for line in "${(@f)$(pyovn complete zsh ${words[1]} "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        word=${line%%$'\t'*}
        if [[ $word == '<files>' ]]; then
            compset -P '*='
            _files
            return
        elif [[ $word == *[=:] ]]; then
            open+=("$word")
        elif [[ -n $word ]]; then
            whole+=("$word")
            texts+=("${(r:28:)word} ${line#*$'\t'}")
        fi
    done
    (( $#whole )) && compadd -l -d texts -a whole
    (( $#open )) && compadd -S '' -a open
}
compdef _pyovn_complete ovn-nbctl ovn-sbctl ovs-vsctl
