# A boot to the prompt on a machine with 1 hart(s).
harts 1   within 90s
stages
