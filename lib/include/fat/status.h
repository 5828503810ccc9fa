/* SPDX-License-Identifier: MIT
 * What the calls of libfat answer. A table of its own: the library knows no protocol; its users translate. */
#pragma once
#include <stdint.h>

/* X(name, what the caller learns) */
#define FAT_STATUSES(X)                                                                                                \
    X(FAT_OK, "it happened")                                                                                           \
    X(FAT_IO, "the disk failed to read or write, or lost what it had taken")                                           \
    X(FAT_CORRUPT, "what the volume says makes no sense there")                                                        \
    X(FAT_NOT_FAT, "this is no FAT volume")                                                                            \
    X(FAT_NOT_SUPPORTED, "a volume or an operation of a kind that is not known")                                       \
    X(FAT_READ_ONLY, "the volume must not be changed")                                                                 \
    X(FAT_NO_MEMORY, "the memory that was given is too little")                                                        \
    X(FAT_TOO_MANY, "as many objects are open as were agreed on")                                                      \
    X(FAT_NO_SPACE, "no free cluster is left")                                                                         \
    X(FAT_TOO_BIG, "beyond a limit of the format: 4 GiB less a byte in a file, 65,536 slots in a directory")           \
    X(FAT_NOT_FOUND, "no entry of that name")                                                                          \
    X(FAT_EXISTS, "there is an entry of that name")                                                                    \
    X(FAT_BAD_NAME, "not a name that a volume can hold")                                                               \
    X(FAT_NOT_DIRECTORY, "that is no directory")                                                                       \
    X(FAT_IS_DIRECTORY, "that is a directory")                                                                         \
    X(FAT_NOT_EMPTY, "the directory has entries")                                                                      \
    X(FAT_BAD_ARGUMENT, "a directory cannot go into itself; the root cannot go anywhere")                              \
    X(FAT_BUSY, "something is open that excludes this")

typedef enum [[nodiscard("did it happen?")]] fat_status : int32_t {
#define X(name, text) name,
    FAT_STATUSES(X)
#undef X
} fat_status_t;

const char *fat_status_text(fat_status_t status);
