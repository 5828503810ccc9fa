# The highest exit status.
exec "exit 255"   output ""   exit 255
