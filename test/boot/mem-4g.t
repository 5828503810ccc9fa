# A boot to the prompt with 4G of memory.
mem 4G   within 90s
stages
