# A person at the shell: lines that go on, editing, history, completion, ^C, jobs, ^D.
within 30s
send "for i in 1 2; do" after /^vectra:\/\$ /
send "echo number $i" after /^> /
send "done" after /^> /
expect /^number 1\r?$/
expect /^number 2\r?$/
send "echo abd\x02\x7fc" after /^vectra:\/\$ /
expect /^acd\r?$/
send "\x10\x01echo older; " after /^vectra:\/\$ /
expect /^older\r?$/
send "ls /etc/serv\t\t" after /^vectra:\/\$ /
expect /services\.disks/
send "\x15echo go; aw\t'BEGIN { while (1) ; }'" after /^vectra:\/\$ /
send "\x03echo after $?" after /^go\r?$/
expect /^after 130\r?$/
send "echo go; while :; do :; done" after /^vectra:\/\$ /
send "\x03echo looped $?" after /^go\r?$/
expect /^looped 130\r?$/
send "echo go; sleep 100; echo not this" after /^vectra:\/\$ /
send "\x03echo slept $?" after /^go\r?$/
expect /^slept 130\r?$/
send "lua -e 'io.read()' < /dev/null & echo started" after /^vectra:\/\$ /
expect /^started\r?$/
send "wait; echo waited" after /^vectra:\/\$ /
expect /^waited\r?$/
send "cd /etc" after /^vectra:\/\$ /
send "echo $(echo 'a  b') | { read x y; echo \"$y-$x\"; }" after /^vectra:\/etc\$ /
expect /^b-a\r?$/
send "if then" after /^vectra:\/etc\$ /
expect /syntax error/
send "unset nothing; echo ${nothing?is not set}; echo not this either" after /^vectra:\/etc\$ /
expect /is not set/
send "echo still here" after /^vectra:\/etc\$ /
expect /^still here\r?$/
send "sh -c 'echo ready; read line; echo got $line'" after /^vectra:\/etc\$ /
send "typed" after /^ready\r?$/
expect /^got typed\r?$/
send "\x04" after /^vectra:\/etc\$ /
expect /^vectra:\/\$ /
reject /^not this/
