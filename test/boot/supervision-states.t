# What became of each service, and that a failed one stays down until somebody starts it.
boot "services=/etc/services.test"   qemu "-icount shift=0,sleep=off"   within 90s
exec "services; services start crash-write; sleep 1; services; services stop steady; services steady; services start nobody; sleep 1; services"
expect /^namingd +ready +[0-9]+ +0 +[0-9:]+\r?$/
expect /^crash-write +failed +- +4 +-  page fault\r?$/
expect /^crash-late +failed +- +1 +-  stack overflow\r?$/
expect /^exit-bad +failed +- +1 +-  exit 3\r?$/
expect /^exit-good +stopped +- +0 +-  exit 0\r?$/
expect /^crash-once +stopped +- +0 +-  page fault\r?$/
expect /^waits +waiting +- +0 +-\r?$/
expect /^steady +ready +[0-9]+ +0 +[0-9:]+\r?$/
expect /^crash-write +failed +- +9 +-  page fault\r?$/
expect /^usage: services \[start\|stop\|restart NAME\]/
expect /^services: there is no service nobody/
expect /^steady +stopped +- +0 +-  destroyed\r?$/
exit 0
