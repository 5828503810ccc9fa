# The terminal's own service is ended: a shell comes back on the new one, and its keys arrive.
within 90s
send "services restart consoled" after /^vectra:\/\$ /
expect /^vectra:\/\$ /
send "services"
expect /^consoled +ready +[0-9]+ +1 +[0-9:]+  destroyed\r?$/
expect /^shell +ready +[0-9]+ +1 /
expect /^vectra:\/\$ /
