# The shell turns the machine off.
within 90s
send "poweroff" after /^vectra:\/\$ /
exit poweroff
