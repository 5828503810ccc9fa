/* SPDX-License-Identifier: MIT
 * Interrupt lines as capabilities: which Task hears of which line. A line is bound through one capability, and the
 * binding goes when that capability goes. A level-triggered line stays masked from its firing until the Task waits for
 * the bit. */
#pragma once
#include <kernel/cap.h>
#include <kernel/object.h>

void irq_cap_gone(const struct cap *c);
bool irq_is_bound(const struct cap *c);
/* The Task waits for these bits: lines that they stand for may fire again. */
void irq_rearm(struct task *t, uint64_t bits);
void irq_binding_gone(struct binding *b); /* if it is a line's: the line is masked and free */
