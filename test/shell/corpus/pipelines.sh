# XCU 2.9.2
echo a | cat; echo b | cat | cat | cat; printf '3\n1\n2\n' | sort | head -2
true | false; echo $?; false | true; echo $?; ! true | false; echo $?; exit3() { exit 3; }; true | exit3; echo $?
echo x | while read l; do echo "got $l"; done; v=0; echo 5 | read v; echo $v
seq 5 | while read n; do echo $((n*n)); done | tail -1
for i in c a b; do echo $i; done | sort | while read x; do echo "<$x>"; done
f() { while read l; do echo "f:$l"; done; }; printf 'p\nq\n' | f; printf 'p\nq\n' | f | f; f </dev/null | cat
{ echo 1; echo 2; } | { read a; read b; echo "$b $a"; }
(echo s1; echo s2) | (cat; echo s3) | cat
x=outer; echo in | { read x; echo $x; }; echo $x; { x=changed; echo $x; } | cat; echo $x
g() { x=g; echo $x; }; g | cat; echo $x; cd / ; (cd /tmp; pwd) | cat; pwd
seq 100000 | tail -1; seq 100000 | head -1; yes | head -3; i=0; while :; do echo $i; i=$((i+1)); done | head -2
while :; do echo y; done | { read a; read b; echo "$a$b"; }
big() { seq 20000; }; big | wc -l | tr -d ' '; big | { wc -l; } | tr -d ' '
big | while read n; do :; done; echo done; v=$(seq 20000); echo "$v" | tail -1; echo "$v" | while read q; do last=$q; case $q in 20000) echo "last $q";; esac; done
printf '%s\n' "$v" | sed -n '$p' | cat; echo "$v" | (cat | tail -2) | head -1
echo a | tr a b |
tr b c | # comment
tr c d
if echo yes | grep -q yes; then echo found; fi; while echo | grep -q x; do :; done; echo over
case $(echo a | tr a z) in z) echo z;; esac; echo one two | { IFS=' ' read p q; echo $q-$p; }
set -- 1 2 3; echo "$@" | { read a; echo "$a $#"; }; f2() { echo $1; shift; echo $# | cat; }; f2 a b c
echo $(echo p | cat | cat) | cat; h() { echo "$1" | tr a-z A-Z; }; h abc | rev | rev
exit 4 | true; echo $?; true | exit 4; echo $?; (exit 2) | (exit 7); echo $?; echo q | (exit 0); echo $?
k() { cat > /dev/null; return 6; }; seq 10 | k; echo $?; echo x | cat >/dev/null | echo y
echo a >&2 2>/dev/null | cat; echo b 2>&1 >/dev/null | cat; { echo c >&2; } 2>&1 | tr c d
A=1 sh -c 'echo $A' | cat; A=2; export A; sh -c 'echo $A' | cat; echo q | A=3 sh -c 'read z; echo $A$z'
for i in 1 2 3; do echo $i | cat; done | wc -l | tr -d ' '; seq 3 | for j in a b; do read n; echo $j$n; done
eval 'echo ev | cat' | cat; echo 'echo from sh' | sh; . /dev/null | cat; cat /dev/null | wc -c | tr -d ' '
local_test() { local v=in; echo x | while read y; do echo $v$y; v=changed; done; echo $v; }; local_test
local_test2() { local v=in; { echo x; echo y; } | { while read y; do echo $v$y; done; } | cat; }; local_test2
nest() { if [ $1 -gt 0 ]; then nest $(($1-1)) | cat; else echo bottom; fi; }; nest 5
m() { while read a; do echo "m$a"; done; }; n() { while read a; do echo "n$a"; done; }; seq 3 | m | n | m | cat
t='it'"'"'s "quoted" $x `b` \back'; show() { printf '%s|' "$@"; echo; }; { show "$t" 'a  b' ''; } | { cat; }
w() { cat <<E | tr a-z A-Z
doc $1 'q' "d"
E
}; w one | { cat; w two; } | cat
echo 'a b' | { read x y; cat <<E
$x
E
echo "$y"; } | m
