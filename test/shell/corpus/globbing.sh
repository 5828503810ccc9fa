# XCU 2.13
d=${TMPDIR:-/tmp}/shell-glob-$$; mkdir -p "$d/sub/deep" "$d/.hid" && cd "$d" || exit 1
touch a.c b.c c.h 'sp ace' .hidden sub/x.c sub/y.c sub/deep/z.c '[x]' 'star*' -dash
echo *; echo *.c; echo ?.c; echo [ab].c; echo [!a].c; echo [a-b].*; echo *.none; echo .*h*; echo */*.c; echo */*/*.c; echo sub/*
echo "*.c" '*.c' \*.c "*".c; x='*.c'; echo $x "$x"; y=*.h; echo $y "$y"; for i in *.c; do echo "<$i>"; done; set -f; echo *.c; set +f
echo [[]x]; echo 'star*'; echo star\*; echo *\**; echo "sp"*; echo sp\ *; echo */; echo ./*.c; echo $d/*.h | sed "s,$d,D,"; echo /[e]tc
case a.c in *.c) echo m;; esac; case .x in *) echo dotmatch;; esac; echo *[ab]*; echo [[:alpha:]].c; echo [^a].c; echo *a*c*; echo **.c; echo ???; echo *.[ch]
echo no/such/*; echo sub/../*.c; echo $(echo '*.c'); echo {a,b}; echo a.c*; echo [; echo []; echo [a; echo *']'; v='[ab].c'; echo $v "$v"; echo ${v#[} ; w='\*.c'; echo $w
cd / && rm -rf "$d"
