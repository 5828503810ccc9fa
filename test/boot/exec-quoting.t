# The command arrives verbatim.
exec "echo 'a  b' \"c\"; echo d && echo e"   output "a  b c\nd\ne\n"   exit 0
