# A boot to the prompt on a machine with 2 hart(s).
harts 2   within 90s
stages
