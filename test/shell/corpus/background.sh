# XCU 2.9.3: what `&` starts is the job itself, whose number is $!, however its name comes about.
d=${TMPDIR:-/tmp}/shell-test-$$; mkdir -p "$d" && cd "$d" || exit 1

# a program whose name is a variable gets the signal that is sent to $!, and its status is the job's
program=sh
cat > child <<'E2'
trap 'echo asked; exit 5' TERM
echo "$1" > ready
i=0
while [ "$i" -lt 200000 ]; do i=$((i + 1)); done
E2
"$program" child yes &
while [ ! -s ready ]; do :; done
kill "$!"
wait "$!"
echo "$?"
cat ready

# what is expanded in front of `&` changes nothing here
unset v
echo "${v:=set}" &
wait
echo "[$v]"
x='sh -c'
$x 'exit 9' &
wait "$!"
echo "$?"
"$program" -c 'echo "$0 $*"' $x "$(echo two words)" > out &
wait
cat out
A=b "$program" -c 'echo "$A"' < /dev/null > out &
wait "$!"
cat out
nothing='' ; $nothing 2>/dev/null &
wait
say() { echo "said $*"; return 4; }
f=say
$f this &
wait "$!"
echo "$?"

# a child that has ended is no process any more, whether or not it was waited for
sh -c 'exit 3' &
child=$!
while kill -0 "$child" 2>/dev/null; do :; done
echo gone
wait "$child"
echo "$?"

# of a pipeline it is the last command, whatever the others are: that one gets the signal, and its status is the job's
rm ready
(:) | sh child last &
while [ ! -s ready ]; do :; done
kill "$!"
wait "$!"
echo "$?"
{ echo one; echo two; } | while read -r line; do echo "<$line>"; done | sh -c 'cat; exit 6' &
wait "$!"
echo "$?"
{ exit 2; } | (exit 8) &
wait "$!"
echo "$?"
echo text | cat | { read -r line; echo "$line"; exit 4; } &
wait "$!"
echo "$?"
(exit 3) | no-such-program-here 2>/dev/null &
wait "$!"
echo "$?"
echo "$(echo slow)" | cat &
wait "$!"
echo "$?"
cd / && rm -r "$d"
