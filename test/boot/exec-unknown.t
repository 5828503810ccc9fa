# A command that does not exist fails, and only it.
exec "no-such-command"   exit 127
