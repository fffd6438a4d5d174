# Prints the documented targets ("target: ... ## text") and variables ("#@ NAME=value  text") of the makefiles.
BEGIN { print "make TARGET [VARIABLE=value ...]\n\nTargets:" }
/^[a-z][a-z0-9-]*:.*## / {
    target = $0; sub(/:.*/, "", target)
    text = $0; sub(/.*## /, "", text)
    printf "  %-16s %s\n", target, text
}
/^#@ / { variables[++count] = substr($0, 4) }
END {
    print "\nVariables:"
    for (i = 1; i <= count; i++) {
        name = variables[i]; sub(/ .*/, "", name)
        text = variables[i]; sub(/^[^ ]+ +/, "", text)
        printf "  %-16s %s\n", name, text
    }
}
