# Raw reads with a VMIN of 0, set by one program for another; an editor with the terminal to itself makes a file and changes it.
within 30s
send "sh -c 'stty -icanon min 0 time 2; echo raw; cat; echo after; stty icanon'" after /^vectra:\/\$ /
expect /^raw\r?\nafter\r?\n/
send "stty -icanon min 0 time 2; echo raw; dd bs=3 count=1 2>/dev/null; stty icanon; echo none" after /vectra:\/\$ /
expect /^raw\r?\nnone\r?\n/
send "vi /tmp/x" after /vectra:\/\$ /
send "ifirst line\rsecond\x1b" after /~/
send ":wq" after /second/
send "echo vi $?; cat /tmp/x" after /vectra:\/\$ /
expect /^vi 0\r?\nfirst line\r?\nsecond\r?\n/
send "vi /tmp/x" after /vectra:\/\$ /
send "ivery \x1b" after /first line/
send ":wq" after /very first/
send "echo again $?; cat /tmp/x" after /vectra:\/\$ /
expect /^again 0\r?\nvery first line\r?\nsecond\r?\n/
