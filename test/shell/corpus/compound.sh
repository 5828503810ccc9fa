# XCU 2.9.4
if true; then echo 1; fi; if false; then echo 2; else echo 3; fi
if false; then :; elif true; then echo 4; else echo 5; fi
if false; then :; fi; echo $?
for i in a b c; do echo $i; done; for i in; do echo never; done; echo $? 
for i
do echo never; done
set -- p q; for i; do echo $i; done; for i do echo $i; done
for i in 1 2
do
  echo $i
done
i=0; while [ $i -lt 3 ]; do echo w$i; i=$((i+1)); done
until [ $i -eq 0 ]; do echo u$i; i=$((i-1)); done
while false; do :; done; echo $?
for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi; if [ $i = 4 ]; then break; fi; echo $i; done
for i in 1 2; do for j in a b c; do [ $j = b ] && continue 2; echo $i$j; done; done
for i in 1 2; do for j in a b c; do [ $j = b ] && break 2; echo $i$j; done; done
for i in 1 2; do while :; do break; done; echo o$i; done
case a in a) echo A;; b) echo B;; esac
case b in (a) echo A;; (b) echo B; esac
case x in a|b|x) echo alt;; *) echo star;; esac
case "a b" in "a b") echo sp;; esac; case '*' in \*) echo lit;; esac; case ab in '*') echo no;; a*) echo yes;; esac
case z in [a-y]) echo no;; [!a-y]) echo neg;; esac; case - in [a-]) echo dash;; esac; case ] in []]) echo br;; esac
case 5 in [[:digit:]]) echo digit;; esac; case q in [[:digit:][:alpha:]]) echo alnum;; esac
v='a*'; case abc in $v) echo pat;; esac; case abc in "$v") echo no;; *) echo quoted;; esac
case x in esac; echo $?; case x in y) ;; esac; echo $?; case x in x) ;; esac; echo $?; case x in x) false;; esac; echo $?
case "" in "") echo empty;; esac; case a in ?) echo one;; esac; case ab in ?) echo no;; ??) echo two;; esac
{ echo br; echo ace; }; { echo x; } | cat; (echo sub; echo shell)
(exit 3); echo $?; { false; }; echo $?; ! false; echo $?; ! true; echo $?
(x=1; echo $x); echo ${x-unset}; { y=1; }; echo $y
true && echo and || echo or; false && echo and || echo or; false || false || echo last; true || echo no && echo both
if ! false; then echo notfalse; fi; if (exit 1); then :; else echo subfalse; fi
while read l; do echo "<$l>"; done <<E
one
two
E
for i in a b; do echo $i; done > /dev/null; for i in a b; do echo $i; done | sort -r
if true; then echo redirected; fi | tr a-z A-Z
f() if [ $1 = 1 ]; then echo is1; else echo isnt; fi; f 1; f 2
g() { echo g; } ; g; h() (echo h; exit 4); h; echo $?
l() for i in "$@"; do echo l$i; done; l 1 2
i=3; while i=$((i-1)); [ $i -ge 0 ]; do echo c$i; done
case $(echo sub) in sub) echo cmdsub;; esac
if [ a = a ] && [ b = b ]; then echo both; fi; if { true; }; then echo brace; fi
until true; do :; done; echo $?; x=$(until true; do :; done); echo "[$x]"
while :; do while :; do break 2; done; echo never; done; echo out
for i in 1 2 3; do case $i in 2) continue;; esac; echo $i; done
for i in 1; do (break; echo never); echo after; done
echo a; echo b & wait; echo c
{ echo one; { echo two; { echo three; }; }; }
(echo a; (echo b; (echo c)))
