# XCU 2.6.2
unset u; e=; s=value
echo "${u:-d}" "${e:-d}" "${s:-d}" "${u-d}" "${e-d}" "${s-d}"
echo "${u:+a}" "${e:+a}" "${s:+a}" "${u+a}" "${e+a}" "${s+a}"
echo "${u:=new}" "$u"; unset u; echo "${u=new2}" "$u"; echo "${e:=new3}" "$e"
(unset u; : "${u:?message here}"; echo no) 2>/dev/null; echo $?
(unset u; : "${u?}"; echo no) 2>/dev/null; echo $?
(e=; : "${e?}"; echo yes) 2>/dev/null; echo $?
echo "${#s}" "${#}" "${#u}"
p=/usr/local/lib/libx.so.1.2
echo "${p##*/}" "${p#*/}" "${p%/*}" "${p%%/*}" "${p%.*}" "${p%%.*}"
q='*x*'; echo "${q#\*}" "${q#"*"}" "${q##*}" "${q%x*}"
v=aXbXc; echo "${v%X*}" "${v%%X*}" "${v#*X}" "${v##*X}"
pat='X*'; echo "${v%$pat}" "${v%"$pat"}" "${v%%$pat}"
set -- one two three four five six seven eight nine ten eleven
echo "$1" "$9" "$10" "${10}" "${11}" "$#"
shift; echo "$1 $#"; shift 3; echo "$1 $#"
echo "$*"; IFS=:; echo "$*"; IFS=; echo "$*"; unset IFS; echo "$*"
IFS=,; set -- a b c; echo "$*" $*; x="$*"; echo "$x"; IFS=' 
	'
set -- 'a b' c; for i in $*; do echo "<$i>"; done; for i in "$*"; do echo "<$i>"; done
for i in $@; do echo "<$i>"; done; for i in x"$@"y; do echo "<$i>"; done
set --; for i in "$@"; do echo never; done; echo "${1-none}" $#
set -- ''; echo "${1-set}${1:-empty}"
a=1 b=2; echo $a$b ${a}b "$a"b
echo "${s%lu*}${s#*l}"
n=x; eval "${n}y=5"; echo "$xy"
echo ${u:-a b c} "${u2:-a b c}" ${u2:-"a b" c}
for i in ${u2:-a "b c" d}; do echo "($i)"; done
for i in "${u2:-a "b c" d}"; do echo "($i)"; done
echo "${u2:-${u3:-deep}}" "${s:+${s%e}}"
echo ${s#v}${s%e}
set -- a b; echo "${@#a}" "${*%b}"
false; echo $?; true; echo $?
f() { return 42; }; f; echo $?
: ${novar:=$(echo computed)}; echo $novar
echo "${x+"$x"}" ${q:+"$q"}
readonly ro=1; (ro=2; echo no) 2>/dev/null; echo $? $ro
long=$(printf '%05000d' 1); echo ${#long}
set -- "$@" c; echo $#; set -- "x$1"; echo "$1"
echo "$-" | tr -d 's' | grep -c . >/dev/null; echo $?
echo ${PPID:+ppid} ${$:+pid}
