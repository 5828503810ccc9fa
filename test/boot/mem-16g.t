# A boot to the prompt with 16G of memory.
mem 16G   within 90s
stages
