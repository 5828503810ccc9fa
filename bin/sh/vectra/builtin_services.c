/* SPDX-License-Identifier: MIT
 * The built-in `services`: what initd keeps running, over the init protocol. Steering one takes `control yes` in the
 * service graph. */
#include "tools.h"

enum : uint32_t { NAME_MAX = sizeof((struct vx_init_service_reply){}.name) };

struct service {
    uint32_t state, task, restarts, status, cause, started_s;
    char name[NAME_MAX + 1];
};

static const char *const verbs[] = { "start", "stop", "restart" };

/* The service behind *next, which moves on. */
static status_t service_at(uint32_t *next, struct service *s)
{
    uint8_t name[NAME_MAX] = {};
    size_t len = 0;
    uint32_t index = *next;
    status_t st = vx_init_service(&tools.init, index, next, &s->state, &s->task, &s->restarts, &s->status, &s->cause,
                                  &s->started_s, name, &len);
    if (st != OK)
        return st;
    memcpy(s->name, name, len);
    s->name[len] = '\0';
    return *next > index ? OK : ERR_NOT_FOUND; /* numbers only grow */
}

static const char *state_text(uint32_t state)
{
    static const char *const texts[] = {
        [VX_INIT_STATE_WAITING] = "waiting", [VX_INIT_STATE_STARTING] = "starting", [VX_INIT_STATE_READY] = "ready",
        [VX_INIT_STATE_BACKOFF] = "backoff", [VX_INIT_STATE_STOPPED] = "stopped",   [VX_INIT_STATE_FAILED] = "failed",
    };
    return state < sizeof texts / sizeof texts[0] ? texts[state] : "?";
}

static void print_service(const struct service *s, uint64_t now_s)
{
    bool up = s->state == VX_INIT_STATE_STARTING || s->state == VX_INIT_STATE_READY;
    out_format("%-12s %-9s", s->name, state_text(s->state));
    if (up) {
        uint64_t ran = now_s > s->started_s ? now_s - s->started_s : 0;
        out_format(" %5u %8u %5llu:%02llu:%02llu", s->task, s->restarts, (unsigned long long)(ran / 3600),
                   (unsigned long long)(ran / 60 % 60), (unsigned long long)(ran % 60));
    } else {
        out_format(" %5s %8u %11s", "-", s->restarts, "-");
    }
    bool ended = s->restarts != 0 || s->state >= VX_INIT_STATE_BACKOFF;
    if (!ended)
        out_format("\n");
    else if (s->cause == VX_CAUSE_EXIT)
        out_format("  exit %u\n", s->status);
    else
        out_format("  %s\n", vx_cause_name((vx_cause_t)s->cause));
}

static int list(void)
{
    uint64_t now_s = vx_clock_monotonic_ns() / VX_NS_PER_S;
    struct service s;
    uint32_t next = 0;
    status_t st;
    out_format("%-12s %-9s %5s %8s %11s  %s\n", "NAME", "STATE", "TASK", "RESTARTS", "UPTIME", "LAST END");
    while ((st = service_at(&next, &s)) == OK)
        print_service(&s, now_s);
    return st == ERR_NOT_FOUND ? 0 : tool_fail(1, "services: %s", vx_status_text(st));
}

static int steer(const char *verb, const char *name)
{
    size_t len = strlen(name);
    status_t st = ERR_NOT_FOUND;
    if (len > NAME_MAX)
        return tool_fail(1, "services: there is no service %s", name);
    if (strcmp(verb, "start") == 0)
        st = vx_init_start(&tools.init, name, len);
    else if (strcmp(verb, "stop") == 0)
        st = vx_init_stop(&tools.init, name, len);
    else if (strcmp(verb, "restart") == 0)
        st = vx_init_restart(&tools.init, name, len);
    else
        return tool_usage("services");
    switch (st) {
    case OK:
        return 0;
    case ERR_NOT_FOUND:
        return tool_fail(1, "services: there is no service %s", name);
    case ERR_BUSY:
        return tool_fail(1, "services: %s runs already", name);
    case ERR_NO_RIGHTS:
        return tool_fail(1, "services: this shell has no authority to %s a service", verb);
    default:
        return tool_fail(1, "services: %s", vx_status_text(st));
    }
}

int tool_services(int argc, char **argv)
{
    if (argc != 1 && argc != 3)
        return tool_usage("services");
    if (!tools.has_init)
        return tool_fail(1, "services: this shell has no line to initd");
    return argc == 1 ? list() : steer(argv[1], argv[2]);
}

void tool_services_offer(uint32_t index, void (*offer)(void *ctx, const char *word), void *ctx)
{
    if (index == 1) {
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
            offer(ctx, verbs[i]);
    } else if (index == 2 && tools.has_init) {
        struct service s;
        uint32_t next = 0;
        while (service_at(&next, &s) == OK)
            offer(ctx, s.name);
    }
}
