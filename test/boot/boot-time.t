# With bench=1 the kernel says when initd started and the shell when it prompts, each once.
boot "bench=1"   within 90s
expect /bench kernel boot_to_initd instructions ([0-9]+) \1 \1 1\r?$/
expect /^bench kernel boot_to_prompt instructions ([0-9]+) \1 \1 1\r?$/
send "echo [$BENCH]" after /^vectra:\/\$ /
expect /^\[\]\r?$/
reject /boot_to_prompt(.|\n)*boot_to_prompt/
