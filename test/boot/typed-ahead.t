# What is typed, or piped in, while the machine still boots is there when somebody reads: all of it, from the first byte on.
send "echo typed ahead"
expect /^typed ahead\r?$/
