# No address of the kernel's is in its log, however talkative, nor on the console.
boot "log=debug"   within 90s
expect /machine: reserved 0x[0-9a-f]+, \d+ bytes/
send "dmesg; echo done[$?]" after /^vectra:\/\$ /
expect /machine: reserved 0x[0-9a-f]+, \d+ bytes/
expect /done\[0\]/
reject /[fF]{4}[89a-fA-F][0-9a-fA-F]{11}/
reject /runs where it is linked/
