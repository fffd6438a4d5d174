# A bomb of kind $1 goes off beside this shell, which answers, kills it, sees it gone, and removes what it left.
/bin/bomb $1 | {
    mkdir /tmp/bomb
    read begins
    read bomb kind error after turns group
    echo "$bomb $kind $error $after $turns; the shell answers $((6 * 7))"
    kill -9 -$group
    while kill -0 -$group 2> /dev/null; do
        continue
    done
}
rm -r /tmp/bomb
