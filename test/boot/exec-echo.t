# exec passes on exactly the output.
exec "echo hi"   output "hi\n"   exit 0
