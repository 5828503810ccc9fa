# set -e -u -x -n, and what is excepted
(set -e; false; echo no); echo $?; (set -e; true; echo yes); (set -e; if false; then :; fi; echo if); (set -e; false || echo or; echo after)
(set -e; false && echo and; echo andafter); (set -e; ! true; echo not); (set -e; while false; do :; done; echo while); (set -e; (false); echo no); echo $?
(set -e; f() { false; echo infunc; }; f; echo no); echo $?; (set -e; f() { false; echo infunc; }; if f; then echo iff; fi; f || echo or); echo $?
(set -e; x=$(false); echo no); echo $?; (set -e; echo $(false) yes); (set -e; { false; echo no; }; echo no); echo $?; (set -e; true | false; echo no); echo $?; (set -e; false | true; echo pipe)
(set -e; for i in 1 2; do false; echo no; done); echo $?; (set -e; case x in x) false;; esac; echo no); echo $?; (set -e; eval false; echo no); echo $?; (set -e; false; ) || echo outer
(set -e; trap 'echo trapped' EXIT; false); echo $?; (set -e; return_test() { return 3; }; return_test; echo no); echo $?
(set -u; echo $undefined_var; echo no) 2>/dev/null; echo $?; (set -u; echo ${undefined_var-ok}); (set -u; echo "$@" $# $*); (set -u; x=; echo "[$x]")
(set -u; echo $((undefined_q + 1))) 2>/dev/null; echo $?; (set -x; echo traced) 2>/dev/null; (set -x; x=1; echo $x) 2>&1 | grep -c '^+'
(set -f; echo *.nonexistent /*) ; (set -a; AA=exported; sh -c 'echo $AA'); (set -o errexit; false; echo no); echo $?; (set +e -u; case $- in *u*) echo u;; esac)
(set -n; echo no); set -o noglob; echo /*; set +o noglob; set -- -e; echo $1; set - a b; echo $#; sh -e -c 'false; echo no'; echo $?; sh -ec 'true; echo c'; sh -c 'echo $0 $1' name arg; echo 'echo stdin $1' | sh -s arg
sh -c 'exit 7'; echo $?; sh -c 'echo "$-"' | tr -dc 'eux'; echo; sh -u -c 'echo $nope' 2>/dev/null; echo $?; sh -c 'if' 2>/dev/null; echo $?; sh -c 'echo a; )' 2>/dev/null; echo $?
sh -c 'nonexistent_command_q' 2>/dev/null; echo $?; sh -c '/etc' 2>/dev/null; echo $?; sh -c 'kill -9 $$'; echo $?; sh -c 'kill -TERM $$' 2>/dev/null; echo $?; sh -c 'trap "exit 5" TERM; kill -TERM $$; echo no'; echo $?
sh -c 'break; echo after break'; sh -c 'return 3'; echo $?; sh -c 'shift 5; echo no' 2>/dev/null; echo $?; sh -c 'exit 300'; echo $?; sh -c ': ${x?}; echo no' 2>/dev/null; echo $?; sh -c 'readonly x=1; x=2; echo no' 2>/dev/null; echo $?
sh -c 'cat <<E
unterminated' 2>/dev/null; echo $?; sh -c 'echo "abc' 2>/dev/null; echo $?; sh -c 'echo $(' 2>/dev/null; echo $?; sh -c '. /nonexistent; echo no' 2>/dev/null; echo $?; sh -c 'for i in 1; do' 2>/dev/null; echo $?; sh -c 'case x in' 2>/dev/null; echo $?
