/* SPDX-License-Identifier: MIT
 * Interrupt lines that several devices share. The kernel gives a line to one Task: here that is topod, which rings the
 * bell of each driver on it and lets the line be until all of them have said that their devices are quiet.
 *
 *  1. A line is bound exactly while it has devices and none of them is to be heard of.
 *  2. Who leaves has been heard of: a driver that ends does not keep the others waiting. One that lives and never says
 *     so does; it could as well hold the line down. */
#pragma once
#include <vectra/rpc.h>

enum { LINES_SHARED_MAX = 8, LINES_DEVICES_MAX = 32 };

/* Adds a device to a line. `bell` is for its driver: the bit that it binds to it is posted when the line fires.
 * BUSY: somebody has the line alone. TABLE_FULL: too many lines. */
status_t lines_share(uint32_t number, uint32_t device, vx_ring_rx *bell);
/* Its driver has seen to it. NOT_FOUND: it shares no line. */
status_t lines_heard(uint32_t device);
void lines_leave(uint32_t device);
/* Signal bits that fired, of lines_bits(). */
void lines_fired(uint64_t bits);
uint64_t lines_bits(void);
