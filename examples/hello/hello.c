/* SPDX-License-Identifier: MIT
 * A C program like any other. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

int main(int argc, char *argv[])
{
    struct utsname system;
    if (uname(&system) != 0) {
        perror("uname");
        return EXIT_FAILURE;
    }
    printf("Hello, %s, from %s!\n", argc > 1 ? argv[1] : "world", system.sysname);
    return EXIT_SUCCESS;
}
