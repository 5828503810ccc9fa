# inside
# XCU 2.6.5
show() { for i; do printf '[%s]' "$i"; done; echo; }
x='  a  b  '; show $x; show "$x"; show =$x=
IFS=:; x='a:b::c:'; show $x; x=':a'; show $x; x='::'; show $x; show a$x"b"
IFS=' :'; x=' a : b :: c '; show $x; x='a :b'; show $x; x=': a'; show $x
IFS=; x='a b:c'; show $x
unset IFS; x='a	b
c'; show $x
IFS=-; x=a-b; y=$x; show $y; show "$y"; show $(echo q-r); show $((5-2))
IFS=1; show $((210+1))
IFS=' '; show $(printf 'a\nb c\n\n')
IFS='
'; show $(printf 'a\nb c\n\n')
IFS=' 	
'; set -- 'a b' 'c  d'; show $@; show "$@"; show $*; show "$*"
e=; show $e; show "$e"; show $e"$e"; show a$e b; show ''$e
show $e $e; show "$@" $e
IFS=x; show axbxc a'x'b $(echo axb)
v=axb; w=$v; show $w; show ${v}; case $v in axb) echo whole;; esac
IFS=,; for i in $(echo 1,2,3); do echo $i; done
read a b c <<E
1,2,3,4
E
show "$a" "$b" "$c"
IFS=' ,'; read a b c <<E
 1 , 2 ,3 , 4 , 
E
show "$a" "$b" "$c"
read a b <<E
x,
E
show "$a" "$b"
read a <<E
x,
E
show "$a"
read a <<E
 x , y ,
E
show "$a"
read -r a b <<'E'
p\q r\
E
show "$a" "$b"
read a b <<'E'
p\q\ r s\
t
E
show "$a" "$b"

# arguments of export, readonly and local that look like assignments are expanded as assignments are
x='a  b' star='*'
export one=$x two=$star; echo "[$one][$two]"
readonly three=$(printf ' 1') four="$x"$x; echo "[$three][$four]"
command export five=$x; echo "[$five]"
f() { local six=$x seven=$(echo p q) eight; echo "[$six][$seven][${eight-unset}]"; }
f
HOME=/home/me
export nine=~:~/bin ten="~"; echo "[$nine][$ten]"
name=eleven
export $name; eleven=yes; sh -c 'echo "[$eleven]"' 2>/dev/null
f() { echo "$#"; }
f twelve=$x $x
for word in export=$x export thirteen=$x; do echo "[$word]"; done
