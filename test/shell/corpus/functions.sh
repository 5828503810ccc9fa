# XCU 2.9.5
f() { echo "f($#): $*"; }; f; f a; f a 'b c'
set -- outer; f inner; echo $1
g() { return 5; echo never; }; g; echo $?; g && echo no || echo "g failed $?"
r() { if [ $1 -gt 0 ]; then echo $1; r $(($1-1)); fi; }; r 4
fact() { if [ $1 -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1-1))))); fi; }; fact 10
l() { local a=1 b; b=2; echo $a $b; a=3; }; a=x b=y; l; echo $a $b
l2() { local a; echo "[$a]"; a=5; l3; echo $a; }; l3() { echo "l3 $a"; a=6; }; a=7; l2; echo $a
v=1; h() { v=2; }; h; echo $v
k() { echo k1; k() { echo k2; }; }; k; k
n() { shift; echo $1; }; n a b; o() { set -- x y z; echo $#; }; o 1; 
p() { echo p; } >/dev/null; p; echo "p gave $?"
q() { cat; } ; echo in | q; q <<E
doc
E
rr() { return; }; false; rr; echo $?; s() { false; }; s; echo $?; s2() { :; }; s2; echo $?
t() { for i in 1 2 3; do [ $i = 2 ] && return 7; echo $i; done; }; t; echo $?
u() { (return 3); echo "in $?"; }; u
w() { exit 9; }; (w); echo $?; x=$(w); echo $?
unset -f f; f 2>/dev/null; echo $?
y() { echo "$0" | sed 's,.*/,,' >/dev/null; echo $#; }; y a b c
A=1; z() { echo "A=$A"; }; A=2 z; echo $A
echo() { printf 'my echo: %s\n' "$*"; }; echo hi; unset -f echo; echo hi
true() { return 1; }; true; printf '%s\n' $?; unset -f true; true; echo $?
c() { command echo "$@"; }; c via command
d() { e() { echo inner; }; e; }; d; e
m() { while :; do return 4; done; }; m; echo $?
mm() { eval 'return 6'; echo never; }; mm; echo $?
nn() { . /dev/stdin <<E
return 8
E
echo "after dot $?"; }; nn; echo $?
deep() { [ $1 -eq 0 ] && return 0; deep $(($1-1)); }; deep 100; echo $?
recv() { local n=$1; [ $n -eq 0 ] || recv $((n-1)); echo -n "$n "; }; recv 3; echo
ff() { echo "$1"; shift; [ $# -gt 0 ] && ff "$@"; }; ff a b c; echo $?
