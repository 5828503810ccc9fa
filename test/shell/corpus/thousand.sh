# inside
# A long script as people write them: libraries of functions and a small test of each. It uses no program but the shell.

# --- a small framework ---------------------------------------------------------------------------------------------
tests=0
failures=0
section() {
    printf '\n== %s ==\n' "$1"
}
check() {
    # check NAME EXPECTED ACTUAL
    tests=$((tests + 1))
    if [ "$2" = "$3" ]; then
        printf 'ok %d - %s\n' "$tests" "$1"
    else
        failures=$((failures + 1))
        printf 'not ok %d - %s: expected <%s>, got <%s>\n' "$tests" "$1" "$2" "$3"
    fi
}
die() {
    echo "fatal: $*" >&2
    exit 1
}

# --- strings -------------------------------------------------------------------------------------------------------
section strings
length() {
    echo ${#1}
}
repeat() {
    # repeat TEXT COUNT
    repeat_out=
    repeat_i=0
    while [ "$repeat_i" -lt "$2" ]; do
        repeat_out=$repeat_out$1
        repeat_i=$((repeat_i + 1))
    done
    printf '%s\n' "$repeat_out"
}
reverse() {
    reverse_in=$1
    reverse_out=
    while [ -n "$reverse_in" ]; do
        reverse_rest=${reverse_in#?}
        reverse_out=${reverse_in%"$reverse_rest"}$reverse_out
        reverse_in=$reverse_rest
    done
    printf '%s\n' "$reverse_out"
}
upper() {
    upper_in=$1
    upper_out=
    while [ -n "$upper_in" ]; do
        upper_rest=${upper_in#?}
        upper_c=${upper_in%"$upper_rest"}
        case $upper_c in
            a) upper_c=A ;; b) upper_c=B ;; c) upper_c=C ;; d) upper_c=D ;; e) upper_c=E ;;
            f) upper_c=F ;; g) upper_c=G ;; h) upper_c=H ;; i) upper_c=I ;; j) upper_c=J ;;
            k) upper_c=K ;; l) upper_c=L ;; m) upper_c=M ;; n) upper_c=N ;; o) upper_c=O ;;
            p) upper_c=P ;; q) upper_c=Q ;; r) upper_c=R ;; s) upper_c=S ;; t) upper_c=T ;;
            u) upper_c=U ;; v) upper_c=V ;; w) upper_c=W ;; x) upper_c=X ;; y) upper_c=Y ;;
            z) upper_c=Z ;;
        esac
        upper_out=$upper_out$upper_c
        upper_in=$upper_rest
    done
    printf '%s\n' "$upper_out"
}
index_of() {
    # index_of TEXT PART: the position from 0, or -1
    case $1 in
        *"$2"*)
            index_head=${1%%"$2"*}
            echo ${#index_head}
            ;;
        *)
            echo -1
            ;;
    esac
}
replace_all() {
    # replace_all TEXT OLD NEW
    replace_in=$1
    replace_out=
    while :; do
        case $replace_in in
            *"$2"*)
                replace_out=$replace_out${replace_in%%"$2"*}$3
                replace_in=${replace_in#*"$2"}
                ;;
            *)
                break
                ;;
        esac
    done
    printf '%s\n' "$replace_out$replace_in"
}
trim() {
    trim_text=$1
    while :; do
        case $trim_text in
            [[:space:]]*) trim_text=${trim_text#?} ;;
            *[[:space:]]) trim_text=${trim_text%?} ;;
            *) break ;;
        esac
    done
    printf '%s\n' "$trim_text"
}
starts_with() {
    case $1 in
        "$2"*) return 0 ;;
        *) return 1 ;;
    esac
}
ends_with() {
    case $1 in
        *"$2") return 0 ;;
    esac
    return 1
}
pad_left() {
    pad_text=$1
    while [ ${#pad_text} -lt "$2" ]; do
        pad_text=${3:- }$pad_text
    done
    printf '%s\n' "$pad_text"
}
count_char() {
    count_rest=$1
    count_n=0
    while :; do
        case $count_rest in
            *"$2"*)
                count_n=$((count_n + 1))
                count_rest=${count_rest#*"$2"}
                ;;
            *)
                break
                ;;
        esac
    done
    echo "$count_n"
}
is_palindrome() {
    [ "$1" = "$(reverse "$1")" ]
}
check length 5 "$(length hello)"
check "length of nothing" 0 "$(length '')"
check repeat abababab "$(repeat ab 4)"
check "repeat none" "" "$(repeat ab 0)"
check reverse dlrow "$(reverse world)"
check "reverse with blanks" "c  b a" "$(reverse 'a b  c')"
check "reverse with stars" "*a*" "$(reverse '*a*')"
check upper "HELLO, WORLD" "$(upper 'hello, world')"
check "index of" 4 "$(index_of 'the cat' 'cat')"
check "index of nothing" -1 "$(index_of 'the cat' 'dog')"
check "index of a star" 1 "$(index_of 'a*b' '*')"
check "replace all" "b-n-n-" "$(replace_all banana a -)"
check "replace with longer" "xaayaaz" "$(replace_all x.y.z . aa)"
check "replace a pattern char" "1+2+3" "$(replace_all '1*2*3' '*' +)"
check trim "a  b" "$(trim '   a  b	 ')"
check "trim nothing" "" "$(trim '   ')"
starts_with foobar foo && check "starts with" yes yes
starts_with foobar bar || check "does not start with" yes yes
ends_with foobar bar && check "ends with" yes yes
ends_with foobar foo || check "does not end with" yes yes
check "pad left" "   42" "$(pad_left 42 5)"
check "pad with zeros" "00042" "$(pad_left 42 5 0)"
check "count char" 3 "$(count_char banana a)"
is_palindrome racecar && check palindrome yes yes
is_palindrome racecars || check "no palindrome" yes yes

# --- numbers -------------------------------------------------------------------------------------------------------
section numbers
gcd() {
    gcd_a=$1 gcd_b=$2
    while [ "$gcd_b" -ne 0 ]; do
        gcd_t=$((gcd_a % gcd_b))
        gcd_a=$gcd_b
        gcd_b=$gcd_t
    done
    echo "$gcd_a"
}
power() {
    power_base=$1 power_n=$2 power_out=1
    while [ "$power_n" -gt 0 ]; do
        [ $((power_n & 1)) -eq 1 ] && power_out=$((power_out * power_base))
        power_base=$((power_base * power_base))
        power_n=$((power_n >> 1))
    done
    echo "$power_out"
}
is_prime() {
    [ "$1" -lt 2 ] && return 1
    prime_i=2
    while [ $((prime_i * prime_i)) -le "$1" ]; do
        [ $(($1 % prime_i)) -eq 0 ] && return 1
        prime_i=$((prime_i + 1))
    done
    return 0
}
primes_to() {
    primes_out=
    primes_n=2
    while [ "$primes_n" -le "$1" ]; do
        if is_prime "$primes_n"; then
            primes_out="$primes_out${primes_out:+ }$primes_n"
        fi
        primes_n=$((primes_n + 1))
    done
    echo "$primes_out"
}
fibonacci() {
    if [ "$1" -lt 2 ]; then
        echo "$1"
    else
        echo $(($(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2)))))
    fi
}
factorial() {
    if [ "$1" -le 1 ]; then
        echo 1
    else
        echo $(($1 * $(factorial $(($1 - 1)))))
    fi
}
to_base() {
    # to_base NUMBER BASE
    base_n=$1 base_out=
    [ "$base_n" -eq 0 ] && base_out=0
    while [ "$base_n" -gt 0 ]; do
        base_d=$((base_n % $2))
        case $base_d in
            10) base_d=a ;; 11) base_d=b ;; 12) base_d=c ;; 13) base_d=d ;; 14) base_d=e ;; 15) base_d=f ;;
        esac
        base_out=$base_d$base_out
        base_n=$((base_n / $2))
    done
    echo "$base_out"
}
from_binary() {
    binary_rest=$1 binary_out=0
    while [ -n "$binary_rest" ]; do
        binary_tail=${binary_rest#?}
        binary_out=$((binary_out * 2 + ${binary_rest%"$binary_tail"}))
        binary_rest=$binary_tail
    done
    echo "$binary_out"
}
roman() {
    roman_n=$1 roman_out=
    for roman_pair in 1000:M 900:CM 500:D 400:CD 100:C 90:XC 50:L 40:XL 10:X 9:IX 5:V 4:IV 1:I; do
        roman_value=${roman_pair%%:*}
        roman_letters=${roman_pair#*:}
        while [ "$roman_n" -ge "$roman_value" ]; do
            roman_out=$roman_out$roman_letters
            roman_n=$((roman_n - roman_value))
        done
    done
    echo "$roman_out"
}
collatz() {
    collatz_n=$1 collatz_steps=0
    until [ "$collatz_n" -eq 1 ]; do
        if [ $((collatz_n % 2)) -eq 0 ]; then
            collatz_n=$((collatz_n / 2))
        else
            collatz_n=$((3 * collatz_n + 1))
        fi
        collatz_steps=$((collatz_steps + 1))
    done
    echo "$collatz_steps"
}
digit_sum() {
    digits_rest=$1 digits_out=0
    while [ -n "$digits_rest" ]; do
        digits_tail=${digits_rest#?}
        digits_out=$((digits_out + ${digits_rest%"$digits_tail"}))
        digits_rest=$digits_tail
    done
    echo "$digits_out"
}
integer_root() {
    root_low=0 root_high=$1
    while [ "$root_low" -lt "$root_high" ]; do
        root_middle=$(((root_low + root_high + 1) / 2))
        if [ $((root_middle * root_middle)) -le "$1" ]; then
            root_low=$root_middle
        else
            root_high=$((root_middle - 1))
        fi
    done
    echo "$root_low"
}
check gcd 12 "$(gcd 48 36)"
check "gcd of primes" 1 "$(gcd 17 31)"
check power 1024 "$(power 2 10)"
check "power large" 3486784401 "$(power 3 20)"
check primes "2 3 5 7 11 13 17 19 23 29 31 37 41 43 47" "$(primes_to 50)"
check fibonacci 144 "$(fibonacci 12)"
check factorial 3628800 "$(factorial 10)"
check "factorial large" 2432902008176640000 "$(factorial 20)"
check "base two" 101010 "$(to_base 42 2)"
check "base sixteen" deadbeef "$(to_base 3735928559 16)"
check "from binary" 170 "$(from_binary 10101010)"
check roman MCMXCIV "$(roman 1994)"
check "roman small" IV "$(roman 4)"
check collatz 111 "$(collatz 27)"
check "digit sum" 45 "$(digit_sum 1234567890)"
check "integer root" 1000 "$(integer_root 1000999)"
check octal 8 "$((010))"
check hexadecimal 255 "$((0xff))"
check precedence 14 "$((2 + 3 * 4))"
check ternary big "$([ $((5 > 3 ? 1 : 0)) -eq 1 ] && echo big || echo small)"

# --- lists in strings ----------------------------------------------------------------------------------------------
section lists
list_length() {
    set -- $1
    echo $#
}
list_get() {
    # list_get LIST INDEX, from 0
    list_index=$2
    set -- $1
    shift "$list_index"
    echo "$1"
}
list_reverse() {
    list_out=
    for list_item in $1; do
        list_out="$list_item${list_out:+ }$list_out"
    done
    echo "$list_out"
}
list_contains() {
    for list_item in $1; do
        [ "$list_item" = "$2" ] && return 0
    done
    return 1
}
list_unique() {
    list_seen=
    for list_item in $1; do
        list_contains_seen=no
        for list_other in $list_seen; do
            if [ "$list_item" = "$list_other" ]; then
                list_contains_seen=yes
                break
            fi
        done
        [ $list_contains_seen = yes ] && continue
        list_seen="$list_seen${list_seen:+ }$list_item"
    done
    echo "$list_seen"
}
list_sum() {
    list_total=0
    for list_item in $1; do
        list_total=$((list_total + list_item))
    done
    echo "$list_total"
}
list_max() {
    set -- $1
    list_best=$1
    for list_item; do
        [ "$list_item" -gt "$list_best" ] && list_best=$list_item
    done
    echo "$list_best"
}
list_map() {
    # list_map FUNCTION LIST
    list_out=
    for list_item in $2; do
        list_out="$list_out${list_out:+ }$($1 "$list_item")"
    done
    echo "$list_out"
}
list_filter() {
    list_out=
    for list_item in $2; do
        if $1 "$list_item"; then
            list_out="$list_out${list_out:+ }$list_item"
        fi
    done
    echo "$list_out"
}
list_range() {
    list_out=$1
    list_i=$1
    while [ "$list_i" -lt "$2" ]; do
        list_i=$((list_i + ${3:-1}))
        list_out="$list_out $list_i"
    done
    echo "$list_out"
}
square() {
    echo $(($1 * $1))
}
is_even() {
    [ $(($1 % 2)) -eq 0 ]
}
bubble_sort() {
    set -- $1
    sort_n=$#
    while [ "$sort_n" -gt 1 ]; do
        sort_i=1
        sort_out=
        sort_current=$1
        shift
        while [ "$sort_i" -lt "$sort_n" ]; do
            if [ "$sort_current" -gt "$1" ]; then
                sort_out="$sort_out $1"
            else
                sort_out="$sort_out $sort_current"
                sort_current=$1
            fi
            shift
            sort_i=$((sort_i + 1))
        done
        set -- $sort_out $sort_current "$@"
        sort_n=$((sort_n - 1))
    done
    echo "$*"
}
quick_sort() {
    # recursion with positional parameters as the only local storage
    [ $# -le 1 ] && { echo "$1"; return; }
    quick_pivot=$1
    shift
    quick_low= quick_high=
    for quick_item; do
        if [ "$quick_item" -lt "$quick_pivot" ]; then
            quick_low="$quick_low $quick_item"
        else
            quick_high="$quick_high $quick_item"
        fi
    done
    set -- "$quick_pivot" "$quick_low" "$quick_high"
    set -- "$1" "$(quick_sort $2)" "$3"
    set -- "$1" "$2" "$(quick_sort $3)"
    echo ${2:+"$2"} "$1" ${3:+"$3"}
}
numbers="5 3 9 1 7 3 8"
check "list length" 7 "$(list_length "$numbers")"
check "list get" 9 "$(list_get "$numbers" 2)"
check "list reverse" "8 3 7 1 9 3 5" "$(list_reverse "$numbers")"
list_contains "$numbers" 7 && check contains yes yes
list_contains "$numbers" 6 || check "does not contain" yes yes
check unique "5 3 9 1 7 8" "$(list_unique "$numbers")"
check sum 36 "$(list_sum "$numbers")"
check max 9 "$(list_max "$numbers")"
check map "25 9 81 1 49 9 64" "$(list_map square "$numbers")"
check filter "2 4 6 8 10" "$(list_filter is_even "$(list_range 1 10)")"
check range "0 5 10 15 20" "$(list_range 0 20 5)"
check "bubble sort" "1 3 3 5 7 8 9" "$(bubble_sort "$numbers")"
check "quick sort" "1 3 3 5 7 8 9" "$(quick_sort $numbers)"
check "quick sort long" "$(list_range 1 20)" "$(quick_sort 11 3 20 7 1 15 9 2 18 5 13 10 4 17 8 6 19 12 16 14)"

# --- associative arrays with eval ----------------------------------------------------------------------------------
section maps
map_keys=
map_put() {
    case " $map_keys " in
        *" $1 "*) ;;
        *) map_keys="$map_keys${map_keys:+ }$1" ;;
    esac
    eval "map_value_$1=\$2"
}
map_get() {
    eval "printf '%s\\n' \"\${map_value_$1-$2}\""
}
map_has() {
    eval "[ -n \"\${map_value_$1+set}\" ]"
}
map_delete() {
    unset "map_value_$1"
    map_new=
    for map_key in $map_keys; do
        [ "$map_key" = "$1" ] || map_new="$map_new${map_new:+ }$map_key"
    done
    map_keys=$map_new
}
map_put apple "red or green"
map_put pear green
map_put "cherry" 'dark "red"'
map_put plum '$HOME `x`'
check "map get" "red or green" "$(map_get apple)"
check "map quotes" 'dark "red"' "$(map_get cherry)"
check "map dollars" '$HOME `x`' "$(map_get plum)"
check "map default" none "$(map_get grape none)"
check "map keys" "apple pear cherry plum" "$map_keys"
map_has pear && check "map has" yes yes
map_delete pear
map_has pear || check "map has no more" yes yes
check "map keys after" "apple cherry plum" "$map_keys"
for word in the cat and the dog and the bird; do
    map_put "count_$word" $(($(map_get "count_$word" 0) + 1))
done
check "word count" "3 2 1" "$(map_get count_the) $(map_get count_and) $(map_get count_cat)"

# --- a stack and a queue -------------------------------------------------------------------------------------------
section stacks
stack=
push() {
    stack="$1${stack:+ }$stack"
}
pop() {
    popped=${stack%% *}
    case $stack in
        *' '*) stack=${stack#* } ;;
        *) stack= ;;
    esac
}
for item in a b c; do push $item; done
pop
check "pop" c "$popped"
pop
check "pop again" b "$popped"
push z
pop
check "push and pop" z "$popped"
pop
check "the last" "a:" "$popped:$stack"
rpn() {
    stack=
    for token; do
        case $token in
            [0-9]*) push "$token" ;;
            *)
                pop; right=$popped
                pop; left=$popped
                case $token in
                    +) push $((left + right)) ;;
                    -) push $((left - right)) ;;
                    x) push $((left * right)) ;;
                    /) push $((left / right)) ;;
                esac
                ;;
        esac
    done
    pop
    echo "$popped"
}
check "reverse polish" 14 "$(rpn 5 1 2 + 4 x + 3 -)"
check "reverse polish division" 7 "$(rpn 100 4 / 18 -)"
balanced() {
    stack=
    balance_rest=$1
    while [ -n "$balance_rest" ]; do
        balance_tail=${balance_rest#?}
        balance_c=${balance_rest%"$balance_tail"}
        case $balance_c in
            '(' | '[' | '{') push "$balance_c" ;;
            ')') pop; [ "$popped" = '(' ] || return 1 ;;
            ']') pop; [ "$popped" = '[' ] || return 1 ;;
            '}') pop; [ "$popped" = '{' ] || return 1 ;;
        esac
        balance_rest=$balance_tail
    done
    [ -z "$stack" ]
}
for text in '(a[b]{c})' '((()))' '' '([)]' '(' ']'; do
    if balanced "$text"; then echo "balanced: $text"; else echo "not balanced: $text"; fi
done

# --- state machines and parsers ------------------------------------------------------------------------------------
section parsers
parse_config() {
    # reads NAME = VALUE lines, sections, comments
    config_section=main
    config_count=0
    while IFS= read -r config_line; do
        config_line=$(trim "$config_line")
        case $config_line in
            '' | '#'*) continue ;;
            '['*']')
                config_section=${config_line#'['}
                config_section=${config_section%']'}
                ;;
            *=*)
                config_name=$(trim "${config_line%%=*}")
                config_value=$(trim "${config_line#*=}")
                config_count=$((config_count + 1))
                printf '%s.%s -> %s\n' "$config_section" "$config_name" "$config_value"
                ;;
            *)
                printf 'bad line: %s\n' "$config_line"
                ;;
        esac
    done
    printf '%d settings\n' "$config_count"
}
parse_config <<'CONFIG'
# a comment
name = value
  indented =   with  blanks inside

[network]
host=example
port = 80
nonsense
[paths]
home = /home/$user
equation = a=b=c
CONFIG
parse_csv_line() {
    csv_rest=$1,
    csv_field=
    csv_quoted=no
    csv_n=0
    while [ -n "$csv_rest" ]; do
        csv_tail=${csv_rest#?}
        csv_c=${csv_rest%"$csv_tail"}
        csv_rest=$csv_tail
        case $csv_quoted$csv_c in
            'no"') csv_quoted=yes ;;
            'yes"') csv_quoted=no ;;
            no,)
                csv_n=$((csv_n + 1))
                printf '  field %d: <%s>\n' "$csv_n" "$csv_field"
                csv_field=
                ;;
            *) csv_field=$csv_field$csv_c ;;
        esac
    done
}
while IFS= read -r line; do
    echo "line: $line"
    parse_csv_line "$line"
done <<'CSV'
one,two,three
"quoted, with comma",plain
,,empty
CSV
tokenize() {
    tokens_rest=$1
    while [ -n "$tokens_rest" ]; do
        case $tokens_rest in
            ' '*) tokens_rest=${tokens_rest#?} ;;
            [0-9]*)
                tokens_tail=${tokens_rest#"${tokens_rest%%[!0-9]*}"}
                printf 'number(%s) ' "${tokens_rest%"$tokens_tail"}"
                tokens_rest=$tokens_tail
                ;;
            [a-z_]*)
                tokens_tail=${tokens_rest#"${tokens_rest%%[!a-z0-9_]*}"}
                printf 'name(%s) ' "${tokens_rest%"$tokens_tail"}"
                tokens_rest=$tokens_tail
                ;;
            *)
                tokens_tail=${tokens_rest#?}
                printf 'sign(%s) ' "${tokens_rest%"$tokens_tail"}"
                tokens_rest=$tokens_tail
                ;;
        esac
    done
    echo
}
tokenize 'x1 = 3*(y + 42) - foo_bar'
tokenize '12ab 34'
expression() {
    # a calculator by recursive descent over the positional parameters
    expr_input=$1
    expr_sum
    echo "$expr_value"
}
expr_blanks() {
    while :; do
        case $expr_input in
            ' '*) expr_input=${expr_input# } ;;
            *) break ;;
        esac
    done
}
expr_sum() {
    expr_product
    expr_blanks
    while :; do
        case $expr_input in
            +*)
                expr_input=${expr_input#?}
                set -- "$expr_value"
                expr_product
                expr_value=$(($1 + expr_value))
                ;;
            -*)
                expr_input=${expr_input#?}
                set -- "$expr_value"
                expr_product
                expr_value=$(($1 - expr_value))
                ;;
            *)
                break
                ;;
        esac
        expr_blanks
    done
}
expr_product() {
    expr_atom
    expr_blanks
    while :; do
        case $expr_input in
            '*'*)
                expr_input=${expr_input#?}
                set -- "$expr_value"
                expr_atom
                expr_value=$(($1 * expr_value))
                ;;
            /*)
                expr_input=${expr_input#?}
                set -- "$expr_value"
                expr_atom
                expr_value=$(($1 / expr_value))
                ;;
            *)
                break
                ;;
        esac
        expr_blanks
    done
}
expr_atom() {
    expr_blanks
    case $expr_input in
        '('*)
            expr_input=${expr_input#?}
            expr_sum
            expr_blanks
            expr_input=${expr_input#')'}
            ;;
        -*)
            expr_input=${expr_input#?}
            expr_atom
            expr_value=$((0 - expr_value))
            ;;
        *)
            expr_tail=${expr_input#"${expr_input%%[!0-9]*}"}
            expr_value=${expr_input%"$expr_tail"}
            expr_input=$expr_tail
            ;;
    esac
}
check "expression" 7 "$(expression '1 + 2 * 3')"
check "parentheses" 9 "$(expression '(1 + 2) * 3')"
check "nested" 49 "$(expression '((1+2)*(3+4)-(2*(3-1)-4))*2 + 7')"
check "unary" -6 "$(expression '2 * -3')"
check "left to right" 1 "$(expression '10 - 6 - 3')"

# --- options -------------------------------------------------------------------------------------------------------
section options
parse_options() {
    verbose=0 output=- names=
    OPTIND=1
    while getopts vo:n: option; do
        case $option in
            v) verbose=$((verbose + 1)) ;;
            o) output=$OPTARG ;;
            n) names="$names${names:+,}$OPTARG" ;;
            *) echo "bad option"; return 2 ;;
        esac
    done
    shift $((OPTIND - 1))
    echo "verbose=$verbose output=$output names=$names rest=$*"
}
parse_options -v -o file one two
parse_options -vvofile -n a -nb three
parse_options -- -v
parse_options
parse_options -x 2>/dev/null
echo "status $?"

# --- puzzles -------------------------------------------------------------------------------------------------------
section puzzles
hanoi_moves=0
hanoi() {
    [ "$1" -eq 0 ] && return
    hanoi $(($1 - 1)) "$2" "$4" "$3"
    hanoi_moves=$((hanoi_moves + 1))
    [ "$hanoi_moves" -le 5 ] && echo "move $hanoi_moves: disc $1 from $2 to $3"
    hanoi $(($1 - 1)) "$4" "$3" "$2"
}
hanoi 6 left right middle
check hanoi 63 "$hanoi_moves"
queens=0
place() {
    # place ROW COLUMNS DIAGONALS ANTIDIAGONALS
    if [ "$1" -eq "$size" ]; then
        queens=$((queens + 1))
        return
    fi
    set -- "$1" "$2" "$3" "$4" 0
    while [ "$5" -lt "$size" ]; do
        if [ $(($2 >> $5 & 1 | $3 >> ($1 + $5) & 1 | $4 >> ($1 - $5 + size) & 1)) -eq 0 ]; then
            place $(($1 + 1)) $(($2 | 1 << $5)) $(($3 | 1 << ($1 + $5))) $(($4 | 1 << ($1 - $5 + size)))
        fi
        set -- "$1" "$2" "$3" "$4" $(($5 + 1))
    done
}
size=5
place 0 0 0 0
check "five queens" 10 "$queens"
sieve() {
    sieve_i=2
    while [ $sieve_i -le "$1" ]; do
        eval "sieve_$sieve_i=1"
        sieve_i=$((sieve_i + 1))
    done
    sieve_i=2
    while [ $((sieve_i * sieve_i)) -le "$1" ]; do
        if eval "[ \$sieve_$sieve_i = 1 ]"; then
            sieve_j=$((sieve_i * sieve_i))
            while [ $sieve_j -le "$1" ]; do
                eval "sieve_$sieve_j=0"
                sieve_j=$((sieve_j + sieve_i))
            done
        fi
        sieve_i=$((sieve_i + 1))
    done
    sieve_i=2 sieve_n=0
    while [ $sieve_i -le "$1" ]; do
        eval "sieve_n=\$((sieve_n + sieve_$sieve_i))"
        sieve_i=$((sieve_i + 1))
    done
    echo $sieve_n
}
check sieve 46 "$(sieve 200)"
life_step() {
    # one line of cells by rule 110
    life_in=0$1"0"
    life_out=
    while [ ${#life_in} -ge 3 ]; do
        life_tail=${life_in#???}
        case ${life_in%"$life_tail"} in
            110 | 101 | 011 | 010 | 001) life_out=${life_out}1 ;;
            *) life_out=${life_out}0 ;;
        esac
        life_in=${life_in#?}
    done
    echo "$life_out"
}
row=0000000000000000000000000000001
for step in 1 2 3 4 5 6 7 8; do
    replace_all "$(replace_all "$row" 0 .)" 1 '#'
    row=$(life_step "$row")
done
permutations() {
    # permutations PREFIX REST
    if [ -z "$2" ]; then
        printf '%s ' "$1"
        return
    fi
    set -- "$1" "$2" "$2"
    while [ -n "$3" ]; do
        set -- "$1" "$2" "${3#?}" "${3%"${3#?}"}"
        permutations "$1$4" "${2%%"$4"*}${2#*"$4"}"
    done
}
echo "$(permutations '' abc)"
check "permutations of four" 24 "$(list_length "$(permutations '' abcd)")"
diamond() {
    for n in 1 3 5 3 1; do
        printf '%*s\n' $(((5 + n) / 2)) "$(repeat '*' $n)"
    done
}
diamond
fizz() {
    i=1
    while [ $i -le 15 ]; do
        case $((i % 3)):$((i % 5)) in
            0:0) echo fizzbuzz ;;
            0:*) echo fizz ;;
            *:0) echo buzz ;;
            *) echo $i ;;
        esac
        i=$((i + 1))
    done
}
echo $(fizz)
leap() {
    [ $(($1 % 4)) -eq 0 ] && { [ $(($1 % 100)) -ne 0 ] || [ $(($1 % 400)) -eq 0 ]; }
}
for year in 1900 2000 2023 2024; do
    if leap $year; then echo "$year is a leap year"; else echo "$year is not"; fi
done
day_of_week() {
    # Zeller, with Saturday as 0
    dow_y=$1 dow_m=$2
    if [ "$dow_m" -lt 3 ]; then
        dow_m=$((dow_m + 12))
        dow_y=$((dow_y - 1))
    fi
    dow=$((($3 + 13 * (dow_m + 1) / 5 + dow_y + dow_y / 4 - dow_y / 100 + dow_y / 400) % 7))
    set -- Sat Sun Mon Tue Wed Thu Fri
    shift $dow
    echo "$1"
}
check "day of week" Thu "$(day_of_week 1970 1 1)"
check "another day" Sat "$(day_of_week 2000 1 1)"

# --- text ----------------------------------------------------------------------------------------------------------
section text
poem() {
    cat_here=$(
        while IFS= read -r l; do
            printf '%s\n' "$l"
        done <<'POEM'
Two roads diverged in a yellow wood,
And sorry I could not travel both
And be one traveler, long I stood
POEM
    )
    printf '%s\n' "$cat_here"
}
lines=0 words=0 chars=0
while IFS= read -r line; do
    lines=$((lines + 1))
    chars=$((chars + ${#line} + 1))
    set -- $line
    words=$((words + $#))
done <<EOF_OF_TEXT
$(poem)
EOF_OF_TEXT
check "lines, words, characters" "3 21 105" "$lines $words $chars"
number_lines() {
    number=0
    while IFS= read -r line; do
        number=$((number + 1))
        printf '%3d  %s\n' $number "$line"
    done
}
poem | number_lines
longest() {
    best=
    while read -r first rest; do
        for w in $first $rest; do
            [ ${#w} -gt ${#best} ] && best=$w
        done
    done
    echo "$best"
}
check longest traveler, "$(poem | longest)"
wrap() {
    # wrap WIDTH: folds words of standard input
    out=
    while read -r line; do
        for w in $line; do
            if [ -n "$out" ] && [ $((${#out} + 1 + ${#w})) -gt "$1" ]; then
                printf '%s\n' "$out"
                out=$w
            else
                out="$out${out:+ }$w"
            fi
        done
    done
    [ -n "$out" ] && printf '%s\n' "$out"
}
poem | wrap 20
template() {
    while IFS= read -r line; do
        while :; do
            case $line in
                *'{{'*'}}'*)
                    before=${line%%'{{'*}
                    after=${line#*'{{'}
                    name=${after%%'}}'*}
                    after=${after#*'}}'}
                    eval "value=\${$name-?}"
                    line=$before$value$after
                    ;;
                *)
                    break
                    ;;
            esac
        done
        printf '%s\n' "$line"
    done
}
greeting=Hello person='World & friends' unset_name=
template <<'TEMPLATE'
{{greeting}}, {{person}}!
No {{missing}} here; twice {{greeting}} {{greeting}}.
TEMPLATE
caesar() {
    alphabet=abcdefghijklmnopqrstuvwxyz
    caesar_in=$1 caesar_out=
    while [ -n "$caesar_in" ]; do
        caesar_tail=${caesar_in#?}
        c=${caesar_in%"$caesar_tail"}
        caesar_in=$caesar_tail
        case $c in
            [a-z])
                head=${alphabet%%"$c"*}
                at=$(((${#head} + $2 + 26) % 26))
                tail=$alphabet
                while [ $at -gt 0 ]; do
                    tail=${tail#?}
                    at=$((at - 1))
                done
                c=${tail%"${tail#?}"}
                ;;
        esac
        caesar_out=$caesar_out$c
    done
    echo "$caesar_out"
}
check caesar "khoor, zruog" "$(caesar 'hello, world' 3)"
check "caesar back" "hello, world" "$(caesar 'khoor, zruog' -3)"
run_length() {
    rle_in=$1 rle_out=
    while [ -n "$rle_in" ]; do
        c=${rle_in%"${rle_in#?}"}
        n=0
        while case $rle_in in "$c"*) : ;; *) false ;; esac; do
            n=$((n + 1))
            rle_in=${rle_in#?}
        done
        rle_out=$rle_out$n$c
    done
    echo "$rle_out"
}
check "run length" 3a2b1c4d "$(run_length aaabbcdddd)"

# --- matrices ------------------------------------------------------------------------------------------------------
section matrices
matrix_set() {
    eval "$1_$2_$3=\$4"
}
matrix_get() {
    eval "echo \$$1_$2_$3"
}
matrix_fill() {
    # matrix_fill NAME ROWS COLUMNS VALUES...
    name=$1 rows=$2 columns=$3
    shift 3
    r=0
    while [ $r -lt $rows ]; do
        c=0
        while [ $c -lt $columns ]; do
            matrix_set $name $r $c $1
            shift
            c=$((c + 1))
        done
        r=$((r + 1))
    done
}
matrix_multiply() {
    # C = A x B, all of size N
    for r in $4; do
        for c in $4; do
            total=0
            for k in $4; do
                eval "total=\$((total + $1_${r}_$k * $2_${k}_$c))"
            done
            matrix_set $3 $r $c $total
        done
    done
}
matrix_print() {
    for r in $2; do
        for c in $2; do
            printf '%5d' "$(matrix_get $1 $r $c)"
        done
        echo
    done
}
matrix_fill A 3 3 1 2 3 4 5 6 7 8 9
matrix_fill B 3 3 1 0 0 0 1 0 0 0 1
matrix_multiply A B C "0 1 2"
matrix_print C "0 1 2"
matrix_multiply A A D "0 1 2"
matrix_print D "0 1 2"

# --- scopes, subshells, traps --------------------------------------------------------------------------------------
section environments
counter=10
(
    counter=20
    section() { echo "inner section $1"; }
    section hidden
    cd /
    set -- changed
    echo "inside: $counter $1 $PWD"
    exit 5
)
echo "status $?"
section "still mine"
check "subshell kept apart" 10 "$counter"
result=$(
    trap 'echo cleanup' EXIT
    counter=30
    echo working
)
check "trap in a substitution" "working
cleanup" "$result"
check "untouched" 10 "$counter"
nested=$(echo "$(echo "$(counter=40; echo $counter)") $counter")
check "nested substitutions" "40 10" "$nested"
with_local() {
    local counter=1 other
    other=$((counter + 1))
    inner_local
    echo "$counter $other"
}
inner_local() {
    counter=$((counter + 100))
}
check "dynamic scope" "101 2" "$(with_local)"
check "outside" 10 "$counter"
generator() {
    n=0
    while [ $n -lt 5 ]; do
        echo "item $n"
        n=$((n + 1))
    done
}
consumer() {
    got=0
    while read -r kind number; do
        got=$((got + number))
        [ "$kind" = item ] || return 1
    done
    echo "consumed $got"
}
generator | consumer
generator | while read -r kind number; do
    [ "$number" -eq 2 ] && continue
    echo "$number: $kind"
done | {
    while IFS= read -r line; do
        echo "> $line"
    done
    echo end
}
{
    echo "to stdout"
    echo "to stderr" >&2
} 2>/dev/null
swap() {
    { "$@" 3>&1 >&2 2>&3 3>&-; } 2>/dev/null
}
both() {
    echo out
    echo err >&2
}
check "swapped" err "$(swap both)"
retry() {
    attempts=0
    until "$@"; do
        attempts=$((attempts + 1))
        [ $attempts -ge 5 ] && return 1
    done
    return 0
}
flaky_calls=0
flaky() {
    flaky_calls=$((flaky_calls + 1))
    [ $flaky_calls -ge 3 ]
}
retry flaky && check "retried" 3 "$flaky_calls"
retry false || check "gave up" 5 "$attempts"
IFS=: read -r user _ uid rest <<'PASSWD'
root:x:0:0:the superuser:/root:/bin/sh
PASSWD
check "fields" "root 0" "$user $uid"
old_ifs=$IFS
IFS=/
set -- $(echo usr/local/bin)
IFS=$old_ifs
check "split a path" "3 local" "$# $2"
case $- in
    *e*) echo "errexit is on" ;;
    *) echo "errexit is off" ;;
esac
(
    set -e
    false || echo "or saved it"
    if false; then echo never; fi
    ! true
    echo "reached"
    false
    echo "not reached"
)
echo "errexit ended with $?"
total=0
for word in "a b" 'c  d' e\ f; do
    total=$((total + ${#word}))
done
check "words with blanks" 10 "$total"
eval 'dynamic() { echo "dynamic $1"; }'
check "function by eval" "dynamic call" "$(dynamic call)"
sh -c 'echo "from another shell: $0 $1 $2"; exit 7' name one "two three"
check "its status" 7 "$?"
exported=value sh -c 'echo "exported is ${exported-unset}"'
echo "here it is ${exported-unset}"
export kept='a  b'
sh -c 'printf "%s|" "$kept" "$@"; echo' - 'x y' ''

# --- the end -------------------------------------------------------------------------------------------------------
section summary
trap 'echo "goodbye: $tests tests"' EXIT
if [ "$failures" -gt 0 ]; then
    die "$failures of $tests failed"
fi
echo "$tests tests passed"
