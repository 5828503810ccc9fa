# The most talkative kernel log.
boot "log=debug"   within 90s
stages
