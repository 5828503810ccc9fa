# A boot to the prompt with 64M of memory.
mem 64M   within 90s
stages
