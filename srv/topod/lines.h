/* SPDX-License-Identifier: MIT
 * Interrupt lines that several devices share. The kernel gives a line to one Task: here that is topod, which rings the
 * bell of each driver on it and lets the line be until all of them have said that their devices are quiet.
 *
 *  1. A line is bound exactly while it has devices and none of them is to be heard of.
 *  2. Who leaves has been heard of: a driver that ends does not keep the others waiting.
 *  3. Nor does one that lives and says nothing: when LINES_PATIENCE_NS have passed it is late, its device is made to
 * let go of the line, and the line goes on for the others. A late driver is not waited for again until it is heard. */
#pragma once
#include <vectra/rpc.h>

enum { LINES_SHARED_MAX = 8, LINES_DEVICES_MAX = 32 };
static constexpr uint64_t LINES_PATIENCE_NS = 1'000'000'000;

/* Adds a device to a line. `bell` is for its driver: the bit that it binds to it is posted when the line fires.
 * BUSY: somebody has the line alone. TABLE_FULL: too many lines. */
status_t lines_share(uint32_t number, uint32_t device, vx_ring_rx *bell);
/* Its driver has seen to it, late or not. NOT_FOUND: it shares no line. */
status_t lines_heard(uint32_t device);
void lines_leave(uint32_t device);
/* Signal bits that fired, of lines_bits(). */
void lines_fired(uint64_t bits);
uint64_t lines_bits(void);
/* When somebody will be late; VX_FOREVER: nobody is waited for. */
uint64_t lines_deadline(void);
/* Calls `silence` for each device whose driver is late by now, before its line is listened to again. It may make the
 * device leave (lines_leave). */
void lines_late(uint64_t now_ns, void (*silence)(uint32_t device, uint32_t line));
