# inside
# XCU 2.3.1: what an alias's text is replaced by again, and what not. (An alias counts from the next line on.)
say() { echo "[$*]"; }

# a name within its own text, at the end of it and in front of more
alias say=say
say itself
alias say='say more'
say than itself
unalias say

# in a circle
alias one=two two=three three=one
one 2>/dev/null
echo "$?"
unalias one two three

# through several, each of which ends where the next begins
three() { echo three "$@"; }
alias one=two two='three of'
one word
unalias one two

# a blank at the end: the next word, also when the text came from another alias
alias shout='say ' first='second second' second='inner ' third=fourth
shout first third third
alias shout='say	'
shout third third
alias shout='say'
shout third
unalias shout first second third

# a blank at the end of a reserved word
alias choose='case ' what=thing
choose what in thing) echo replaced ;; what) echo kept ;; esac
alias each='for ' name='item in'
each name a b; do echo "$item"; done
alias not='! ' wrong=false
not wrong && echo right
unalias choose what each name not wrong

# an empty one, and one that is quoted
alias nothing= blank=' ' third=fourth
nothing say x
blank say y
blank third 2>/dev/null || echo "no fourth"
\third 2>/dev/null || echo "no third"
unalias -a

# text goes on behind the alias as if it had been typed
alias begin='echo "one' part='a b'
begin two"
echo part
alias open='if true; then'
open echo inside; fi
