# XCU 2.2
echo 'single $x `y` \z' "double \$x \`y\` \"q\" \\ \z" bare\ blank
x='a  b'; echo $x "$x" '$x'
echo "a\
b" c\
d
echo "" '' x"" ""y | od -c | head -3
echo 'it'\''s' "it's" 'say "hi"'
echo \* "*" '*' \\ \$x
echo "${x}" "${x:-"q r"}" ${x:+'s t'}
set -- "" a ""; echo $#; for i in "$@"; do echo "[$i]"; done
echo "\a\b" | od -c | head -2
printf '%s\n' "a	b" 'new
line'
echo "back\\slash" back\\slash 'back\slash'
printf '%s\n' \'\"\; "a;b&c|d" a\;b
y=\$x; echo "$y"; eval echo "$y"
printf '<%s>' "$@" "" ''; echo
echo "${x#a}" "${x#"a "}" "${x%'b'}"
echo a#b '#c' #comment
echo "a'b'c" 'a"b"c'
printf '%s\n' "${z-'q'}" ${z-'q'} "${z-"q"}" "${z-\}}"
