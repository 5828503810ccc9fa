# inside
# XCU 2.14 trap, exit, return: which status counts in an action, and how signals are called.
(trap 'echo cleaning; exit' EXIT; (exit 3))
echo "$?"
(trap 'false; exit' EXIT; exit 4)
echo "$?"
(trap 'false; exit 6' EXIT; exit 5)
echo "$?"
sh -c 'trap exit USR1; (kill -s USR1 $$; exit 3); echo never'
echo "$?"

# `return` in an action is about what was before it; in a function that the action calls it is not
f() { (kill -s USR1 $$; exit 7); echo never; }
trap 'echo trapped; return' USR1
f
echo "$?"
g() { false; return; }
trap 'g; echo "inner $?"; return 9' USR1
f
echo "$?"
trap - USR1

# an action that is over leaves nothing behind
h() { return; }
trap : USR1
kill -s USR1 $$
false
h
echo "$?"
trap - USR1

# names are the same in small letters, and with SIG (as an extension)
trap 'echo small' usr2
kill -s USR2 $$
kill -usr2 $$
trap
trap - Usr2
trap

# `command` takes from a special command that its errors end the shell
command . /nothing/here 2>/dev/null
echo "still here: $?"
command eval 'fi' 2>/dev/null
echo "and here: $?"
readonly fixed=1
command export fixed=2 2>/dev/null
echo "and here: $? $fixed"
(export fixed=2; echo never) 2>/dev/null
echo "$?"
(unset 1x; echo never) 2>/dev/null
echo "$?"
test \( ! word \); echo "$?"
test \( ! -e \); echo "$?"
test \( ! '' \); echo "$?"

# a signal that an action sends has its own action at once, and also if the action then leaves
trap 'echo "second $?"' USR2
trap 'echo "first"; (exit 3); kill -s USR2 $$; echo "after"' USR1
kill -s USR1 $$
trap 'echo "first"; kill -s USR2 $$; exit' USR1
(exit 5)
kill -s USR1 $$
echo never
