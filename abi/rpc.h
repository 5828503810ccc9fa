/* SPDX-License-Identifier: MIT
 * How a Ring message carries a remote call. Word 0 is the head; words 1 to 7 are 56 bytes of arguments or results, laid
 * out by the structs that tools/gen makes of abi/protocols. Larger data travels in shared MEM; a message carries at
 * most one capability. A reply repeats the operation and the sequence number of its request. */
#pragma once
#include <abi/service_limits.h>
#include <abi/status.h>
#include <abi/types.h>

#define VX_RPC_PAYLOAD 56u
static_assert(RPC_BYTES_MAX == VX_RPC_PAYLOAD - 1, "a byte string comes with its length in a byte");
/* The one operation that belongs to no protocol: a note with the producer's end of the Ring for replies, the first
 * message of a connection that was handed on without one. So half of a connection is made only if it is used. */
#define VX_RPC_OP_REPLIES 0xffffu

/* head: bits 15:0 operation, 31:16 sequence number, 63:32 status (0 in a request) */
static inline uint64_t vx_rpc_head(uint16_t op, uint16_t sequence, status_t status)
{
    return (uint64_t)(uint32_t)status << 32 | (uint64_t)sequence << 16 | op;
}
static inline uint16_t vx_rpc_op(uint64_t head)
{
    return (uint16_t)head;
}
static inline uint16_t vx_rpc_sequence(uint64_t head)
{
    return (uint16_t)(head >> 16);
}
static inline status_t vx_rpc_status(uint64_t head)
{
    return (status_t)(int32_t)(uint32_t)(head >> 32);
}
