# XCU 2.14 and the utilities of the shell
: ignored args; echo $?; . /dev/null; echo $?; eval; echo $?; eval echo a '"b  c"'; eval 'x=1; echo $x'
export E1=a E2; E2=b; sh -c 'echo $E1$E2'; unset E1; sh -c 'echo [$E1]'; E3=c; sh -c 'echo [$E3]'; export E3; sh -c 'echo [$E3]'
readonly R=1; echo $R; (unset R) 2>/dev/null; echo $?; (R=5) 2>/dev/null; echo $?; (export R=3) 2>/dev/null; echo $?
set a b c; echo $# $1; set --; echo $#; set -- -a -b; echo $1; set -f; echo *; set +f; case $- in *f*) echo f;; *) echo nof;; esac
set -- 1 2 3; shift; echo $*; shift 2; echo $#; (shift 1 2>/dev/null; echo no) 2>/dev/null; echo $?
unset x; x=5; unset x; echo ${x-gone}; unset -v nothing; echo $?; f() { :; }; unset -f f; command -v f; echo $?
trap 'echo exit trap' EXIT; (trap 'echo sub exit' EXIT; echo in); trap - EXIT
(trap 'echo t' 0; exit 3); echo $?; (trap 'exit 4' EXIT; exit 3); echo $?
trap 'echo caught' USR2; kill -USR2 $$; echo after; trap - USR2; trap '' TERM; kill -TERM $$; echo alive; trap - TERM
trap 'echo a "b"' INT HUP; trap; trap - INT HUP; trap; trap 'x' BADSIG 2>/dev/null; echo $?
getopts_test() { OPTIND=1; while getopts ab:c o; do echo "$o $OPTARG"; done; shift $((OPTIND-1)); echo "rest: $*"; }
getopts_test -a -b val -c r1 r2; getopts_test -abval -- -x; getopts_test -cab v w; getopts_test x -a; getopts_test
OPTIND=1; getopts :ab: o -z; echo "$o $OPTARG"; OPTIND=1; getopts :ab: o -b; echo "$o $OPTARG"; OPTIND=1; getopts a o -z 2>/dev/null; echo "$o"
alias ll='echo aliased'; ll x 2>/dev/null
ll y; alias ll; unalias ll; alias ll 2>/dev/null; echo $?
alias e1='echo ' w1=word; e1 w1
alias r=r2 r2='echo two'; r x; unalias -a
command echo plain; command -v echo cd; command -v sh >/dev/null; echo $?; command -v nonexistent-x; echo $?
command -V if; command -v while; f() { :; }; command -v f; command nonexistent-cmd 2>/dev/null; echo $?
type echo; type : ; type f; type nonexistent-q 2>/dev/null; echo $?; type if
cd /; pwd; cd /tmp; cd -; cd /usr/bin; cd ..; pwd; cd ./lib; cd ../..; pwd; echo $OLDPWD; cd /nonexistent 2>/dev/null; echo $?; cd; [ "$PWD" = "$HOME" ] && echo home
cd /usr; CDPATH=/usr:/ cd bin; pwd; CDPATH=; cd /; (cd usr; pwd); pwd
echo -n no newline; echo; echo 'a\tb\nc\\d\0101\c' never; echo; echo -e x; echo -nn; echo - --
printf '%s %s\n' a b c; printf '%d %i %o %x %X %u\n' 10 -10 8 255 255 7; printf '%5d|%-5d|%05d|%+d\n' 42 42 42 42
printf '%s|%5s|%-5s|%.2s\n' abc abc abc abc; printf '%c%c\n' abc xyz; printf '%b\n' 'a\tb\0101'; printf '%%\n'; printf 'a\tb\101\n'
printf '%*d|%-*d\n' 5 42 5 42; printf '%.3f %e %g\n' 3.14159 1234.5 0.0001; printf '%d\n' "'A" '"B' 0x10 010; printf '%s\n'; printf 'x\n' y
printf '%d\n' abc 2>/dev/null; echo $?; printf '%s-' 1 2 3; echo; printf '%b' 'a\cb' c; echo; printf '%s %d\n' a 1 b 2 c
test a; echo $?; test ''; echo $?; test; echo $?; [ a = a ]; echo $?; [ a != a ]; echo $?; [ ! a ]; echo $?; [ -z '' ]; echo $?; [ -n '' ]; echo $?
[ 1 -eq 1 ] && [ 1 -ne 2 ] && [ 1 -lt 2 ] && [ 2 -gt 1 ] && [ 1 -le 1 ] && [ 1 -ge 1 ] && echo ints; [ a -eq 1 ] 2>/dev/null; echo $?
[ -e / ] && [ -d / ] && [ ! -f / ] && [ -r / ] && [ -x / ] && echo files; [ -f /dev/null ]; echo $?; [ -c /dev/null ] && echo chr; [ -s /dev/null ]; echo $?
[ a = a -a b = b ]; echo $?; [ a = b -o b = b ]; echo $?; [ ! a = b ]; echo $?; [ \( a = a \) ]; echo $?; [ '(' = '(' ]; echo $?; [ -f = -f ]; echo $?; [ ! = ! ]; echo $?
[ \( a = b -o c = c \) -a d = d ]; echo $?; [ ! -e /nonexistent -a -d / ]; echo $?; [ -t 99 ]; echo $?; [ a -ef b ]; echo $?; [ / -ef /. ]; echo $?
umask 022; umask; umask -S; umask u=rwx,g=rx,o=; umask; umask 077; (umask 0; umask); umask; umask g+w; umask 
true; echo $?; false; echo $?; exec 9>&1; echo to nine >&9; exec 9>&-; times >/dev/null; echo $?; hash -r; echo $?; wait; echo $?; jobs
ulimit -f >/dev/null; echo $?; ulimit -n >/dev/null; echo $?; kill -l 9; kill -l 130 ; kill -0 $$; echo $?; kill -s TERM 999999 2>/dev/null; echo $?
(exec echo replaced); (exec /nonexistent 2>/dev/null); echo $?; (exec nonexistent-w 2>/dev/null; echo no); echo $?; read x </dev/null; echo "$? [$x]"
(sleep 0.05; exit 3) & wait $!; echo $?; sleep 0 & p=$!; wait $p; echo $?; wait 99999; echo $?; { sleep 0.01; } & wait; echo $?; false & wait $!; echo $?
echo in > /tmp/shell-dot-$$; echo 'echo dotted $1; v=set; return 5; echo never' > /tmp/shell-dot-$$; . /tmp/shell-dot-$$; echo $? $v; rm /tmp/shell-dot-$$
