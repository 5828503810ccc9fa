# exec passes on the exit status.
exec "exit 7"   output ""   exit 7
