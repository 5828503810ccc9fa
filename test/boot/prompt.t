# The prompt answers, and comes again.
within 90s
send "echo hello there" after /^vectra:\/\$ /
expect /^hello there\r?$/
send "nonsense-command" after /^vectra:\/\$ /
expect /nonsense-command/
expect /^vectra:\/\$ /
reject /bench kernel/
