# Programs that have the terminal to themselves, and what is as before behind them: more shows a screen at a time, top ends
# by q; a job in the background that reads stops, and goes on in front.
within 30s
send "seq 1 100 | more" after /^vectra:\/\$ /
send " " after /^23\r?\n/
send "q" after /^4[0-9]\r?\n/
send "echo more $?" after /vectra:\/\$ /
expect /^more 0\r?\n/
send "top" after /vectra:\/\$ /
send "q" after /procd/
send "stty -a | grep -c ' icanon'" after /vectra:\/\$ /
expect /^1\r?\n/
send "cat & until jobs > /tmp/j; grep -q Stopped /tmp/j; do sleep 0.1; done; cat /tmp/j" after /vectra:\/\$ /
expect /Stopped/
send "fg" after /vectra:\/\$ /
send "typed" after /^cat\r?\n/
expect /^typed\r?\ntyped\r?\n/
send "\x04"
send "echo fg $?" after /vectra:\/\$ /
expect /^fg 0\r?\n/
