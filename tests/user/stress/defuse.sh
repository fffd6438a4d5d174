# A bomb of kind $1 goes off beside this shell, which answers, kills it, and removes what it left.
/bin/bomb $1 | {
    read begins
    read bomb kind error after turns group
    echo "$bomb $kind $error $after $turns; the shell answers $((6 * 7))"
    kill -9 -$group
}
rm -r /tmp/bomb
