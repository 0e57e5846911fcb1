# bash completion for ovn-nbctl, ovn-sbctl and ovs-vsctl; see `pyovn completion`
_pyovn_complete() {
    local IFS=$'\n'
    COMPREPLY=($(pyovn complete bash "$1" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
    if [[ ${COMPREPLY[0]} == '<files>' ]]; then
        compopt +o nospace -o filenames
        COMPREPLY=($(compgen -f -- "$2"))
    fi
}
complete -o nospace -F _pyovn_complete ovn-nbctl ovn-sbctl ovs-vsctl
