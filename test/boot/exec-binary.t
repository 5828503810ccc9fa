# Every byte of a program file comes through: no byte is added, lost or changed.
exec "cat /sbin/initd"   output file "/sbin/initd"   exit 0   within 120s
