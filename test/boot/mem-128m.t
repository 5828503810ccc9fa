# A boot to the prompt with 128M of memory.
mem 128M   within 90s
stages
