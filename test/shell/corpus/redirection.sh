# XCU 2.7
d=${TMPDIR:-/tmp}/shell-test-$$; mkdir -p "$d" && cd "$d" || exit 1
echo one > f; cat f; echo two >> f; cat f; cat < f; echo three > f; cat f
cat < f > g; cat g; echo err 2> e >&2; cat e; ls nonexistent > o 2>&1; [ -s o ] && echo nonempty
{ echo a; echo b >&2; } > out 2> err; cat out err; { echo a; echo b >&2; } > both 2>&1; cat both
exec 3> three; echo to3 >&3; exec 3>&-; cat three; exec 4< f; read x <&4; echo $x; exec 4<&-
(echo x >&3) 2>/dev/null; echo $?
cat <<E; echo after
body $((1+1)) $(echo sub) \$x "q"
E
cat <<'E'
raw $x $(no) \
E
cat <<-E
	tabs gone
		all
	E
cat <<A; cat <<B
first
A
second
B
cat <<E1 <<E2
one
E1
two
E2
x=val; cat <<E
${x} ${x:-no} ${u:-"quoted"} `echo bq` a\
b
E
cat <<"E"
a\
b
E
> empty; [ -f empty ] && [ ! -s empty ] && echo empty; echo >|f forced; cat f
set -C; echo no > f 2>/dev/null; echo $?; echo yes >| f; cat f; echo app >> f; cat f; set +C
echo lost > /nonexistent/x 2>/dev/null; echo $?; cat < /nonexistent/x 2>/dev/null; echo $?
while read l; do echo "r:$l"; done < f; for i in 1 2; do echo $i; done > loop; cat loop
if true; then echo if; fi > iff; cat iff; (echo sub) > sub; cat sub; { echo grp; } > grp; cat grp
f() { echo func; echo ferr >&2; }; f > ff 2>&1; cat ff
echo a b > 'file with blank'; cat 'file with blank'; n=named; echo q > $n.txt; cat named.txt
exec 5<> rw; echo hello >&5; exec 5>&-; cat rw
echo 2>&1 nofile; echo 2 >two; cat two; echo 2>three.e; cat three.e
cat <f >copy; cat copy; <f cat; >pre echo before; cat pre
(exec > inner; echo hidden); cat inner; echo visible; (exec 2>&1; ls nonexistent) | grep -c nonexistent
{ exec 3>&1; echo via3 >&3; }; exec 3>&-
echo a | cat - f; read a b < f; echo "$a/$b"; echo x | (read y; echo "y=$y")
{ read a; read b; } <<E
l1
l2
E
echo $a $b
cat 0<f 1>copy2; cat copy2; echo closed >&- 2>/dev/null; echo "status $?"
i=0; while [ $i -lt 3000 ]; do echo "line $i of a large document, longer than a pipe"; i=$((i+1)); done > large
eval "cat <<E
$(cat large)
E" | cksum; cksum < large
: > t; for i in 1 2 3; do echo $i >> t; done; wc -l < t | tr -d ' '
cd / && rm -rf "$d"

# a delimiter is not expanded, whatever is in it
cat <<$word
first $((1 + 1))
$word
cat <<-"$word`x`"
	second $((1 + 1))
	$word`x`
cat <<a`b`$c
third $((1 + 1))
a`b`$c
