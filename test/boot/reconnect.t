# The naming service and a service behind it are ended: whoever uses them connects anew.
exec "topo; services restart namingd; sleep 1; topo; services restart topod; sleep 1; topo; services stop topod; sleep 1; topo; services start topod; sleep 1; topo; services start topod; services"
expect /^interrupt controller: /
expect /^interrupt controller: /
expect /^interrupt controller: /
expect /^topo: the topology service cannot be reached/
expect /^interrupt controller: /
expect /^services: topod runs already/
expect /^namingd +ready +[0-9]+ +1 +[0-9:]+  destroyed\r?$/
expect /^consoled +ready +[0-9]+ +0 +[0-9:]+\r?$/
expect /^topod +ready +[0-9]+ +2 +[0-9:]+  destroyed\r?$/
exit 0
