# `services`: the list, help, completion of words and names, and what cannot be.
within 90s
send "help services" after /^vectra:\/\$ /
expect /services \[start\|stop\|restart NAME\]/
send "services" after /^vectra:\/\$ /
expect /^NAME +STATE +TASK +RESTARTS +UPTIME +LAST END\r?$/
expect /^topod +ready +[0-9]+ +0 +[0-9]+:[0-9:]+\r?$/
send "services star\ttop\t" after /^vectra:\/\$ /
expect /^services: topod runs already\r?$/
send "services sto\tnobody" after /^vectra:\/\$ /
expect /^services: there is no service nobody\r?$/
send "poweroff" after /^vectra:\/\$ /
exit poweroff
