# Job control as a person sees it: ^C into a program that only computes, ^Z, jobs, bg, fg, kill %1; the stages of a
# pipeline stop and end together; ^C in front of a job in the background leaves that alone. What says "ready" a moment
# after it began has the terminal by then.
within 60s
send "echo $-" after /^vectra:\/\$ /
expect /^[a-z]*im/
send "lua -e 'print(\"busy\") while true do end'" after /^vectra:\/\$ /
send "\x03" after /^busy\r?$/
expect /lua: interrupted!/
send "echo lua ended $?" after /^vectra:\/\$ /
expect /^lua ended 1\r?$/
send "sh -c 'trap \"echo back\" CONT; sleep 0.2; echo ready; while :; do :; done'" after /^vectra:\/\$ /
send "\x1a" after /^ready\r?$/
expect /^\[1\] \+ Stopped  sh -c 'trap/
send "echo stopped $?" after /^vectra:\/\$ /
expect /^stopped 148\r?$/
send "sh -c 'sleep 0.2; echo ready; sleep 1000' | cat" after /^vectra:\/\$ /
send "\x1a" after /^ready\r?$/
expect /^\[2\] \+ Stopped  sh -c 'sleep .* \| cat\r?\n/
send "jobs" after /^vectra:\/\$ /
expect /^\[1\] - Stopped  sh -c 'trap/
expect /^\[2\] \+ Stopped  sh -c 'sleep .* \| cat\r?\n/
send "bg %1" after /^vectra:\/\$ /
expect /back\r?\n/
send "jobs %1"
expect /^\[1\] - Running  sh -c 'trap/
send "fg %2" after /^vectra:\/\$ /
send "\x03" after /^sh -c .* \| cat\r?\n/
send "echo fg $?" after /^vectra:\/\$ /
expect /^fg 130\r?$/
send "jobs" after /^vectra:\/\$ /
expect /^\[1\] \+ Running  sh -c 'trap/
send "fg" after /^vectra:\/\$ /
send "\x1a" after /back\r?\n/
send "echo again $?" after /^vectra:\/\$ /
expect /^again 148\r?$/
send "kill %1; fg %1" after /^vectra:\/\$ /
expect /^Terminated\r?$/
send "jobs; echo none left" after /^vectra:\/\$ /
expect /^none left\r?$/
send "sleep 1000 & kill %1; wait; echo waited" after /^vectra:\/\$ /
expect /^waited\r?$/
send "stty -a | grep -c ' echo '" after /^vectra:\/\$ /
expect /^1\r?$/
send "sh" after /^vectra:\/\$ /
send "sh -c 'sleep 0.2; echo ready; sleep 1000'" after /^vectra:\/\$ /
send "\x1a" after /^ready\r?\n/
expect /^\[1\] \+ Stopped  sh -c/
send "jobs" after /^vectra:\/\$ /
expect /^\[1\] \+ Stopped  sh -c/
send "kill -9 %1; exit 7" after /^vectra:\/\$ /
send "echo inner $?" after /^vectra:\/\$ /
expect /^inner 7\r?$/
send "sh -c 'trap \"echo caught; exit 3\" INT; sleep 0.2; echo ready; while :; do sleep 0.1; done'" after /^vectra:\/\$ /
send "\x03" after /^ready\r?$/
expect /^caught\r?$/
send "echo script $?" after /^vectra:\/\$ /
expect /^script 3\r?$/
send "set +m" after /^vectra:\/\$ /
send "lua -e 'print(\"group\") while true do end'" after /^vectra:\/\$ /
send "\x03" after /^group\r?$/
expect /lua: interrupted!/
send "echo together $?" after /^vectra:\/\$ /
expect /^together 130\r?$/
