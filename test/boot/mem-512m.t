# A boot to the prompt with 512M of memory.
mem 512M   within 90s
stages
