# XCU 2.6.3
echo $(echo a) "$(echo 'b  c')" $(echo 'd  e')
echo `echo a` "`echo 'b  c'`" `echo \`echo nested\`` `echo \\$x`
x=$(echo one; echo two); echo "$x" $x
echo "$(printf 'trail\n\n\n')|"
echo $(echo $(echo $(echo deep)))
echo "$(echo "in $(echo "quotes $(echo "deep")")")"
v=1; y=$(v=2; echo $v); echo $v $y
f() { echo "f $*"; return 3; }; z=$(f a b); echo $? "$z"
echo $(cd /; pwd) ; [ "$(pwd)" != / ] && echo still
echo $(case x in x) echo case;; esac) $(case x in (x) echo case2;; esac)
echo "$(cat <<E
here $v
E
)"
echo $(echo ')' "(" # comment )
)
a=$(exit 5); echo $?; a=1$(exit 6); echo $?; b=$(true); echo $?
echo "$(echo a
echo b)"
c=$(for i in 1 2 3; do echo $i; done); echo $c
echo $(false)$? 
n=$(printf '%05000d' 0); echo ${#n}
n=$(i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done | wc -c); echo $n
big=$(i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done); echo ${#big}
big2=$(seq 30000; echo end; seq 30000); echo ${#big2}
echo $(seq 3; echo mid; seq 3)
echo $(echo out; echo err >&2) 2>/dev/null
echo $( (echo sub; exit 3); echo $?)
exec 3>&1; w=$(echo to3 >&3; echo captured); echo "$w"; exec 3>&-
q=$(echo err 2>&1 >/dev/null); echo "[$q]"; q=$(ls /nonexistent-dir 2>&1 >/dev/null | grep -c nonexistent); echo $q
t=$(trap 'echo bye' EXIT; echo hi); echo $t
s=$(set -- p q; echo $#); echo $s $#
echo "a$(echo)b" "a$( )b" a$()b
echo $(echo '*') "$(echo '*')" | head -c 0; echo
set -f; echo $(echo '*'); set +f
d=$(echo $0 | sed 's,.*/,,'); echo ${d:+set}
IFS=:; echo $(echo a:b) "$(echo a:b)"
